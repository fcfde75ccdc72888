/** Rotary position embeddings, for whatever has queries and keys. */
package dev.apus.attention.rope;
