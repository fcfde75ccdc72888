/** Softmax attention: full, local, grouped, with every kind of rotary position. */
package dev.apus.attention.softmax;
