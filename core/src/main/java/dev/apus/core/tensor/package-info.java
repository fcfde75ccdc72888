/** Blocks of activations. */
package dev.apus.core.tensor;
