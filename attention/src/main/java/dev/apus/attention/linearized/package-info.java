/** What softmax attention is turned into: a window of it, and a linear memory of the rest. */
package dev.apus.attention.linearized;
