package dev.apus.kernels.memory;

import dev.apus.kernels.memory.MatrixMemory.Shape;

/**
 * Where a chunk of tokens keeps in scratch what its columns share. With P(s, t) the product of the
 * decays after token s up to token t, for each key, and P(t) that from the chunk's start:
 *
 * <ul>
 *   <li>kept: P of the last token, what is left of the memory's rows,
 *   <li>key, query: {@code P(t) ⊙ k_t}, {@code P(t) ⊙ q_t}, which read the memory as it was before
 *       the chunk,
 *   <li>write: {@code P(t, last) ⊙ k_t}, what is left of a token's key at the end of the chunk,
 *   <li>key pair, query pair: {@code k_t · (P(s, t) ⊙ k_s)} and {@code q_t · (P(s, t) ⊙ k_s)}, with
 *       which token t sees what token s wrote,
 *   <li>written: u of each token.
 * </ul>
 *
 * <p>Decays are only ever multiplied, never divided, so that a factor of 0 is as good as any.
 */
record Chunk(int keyDim, int valueDim) {

  static final int TOKENS = 4;

  Chunk(Shape shape) {
    this(shape.keyDim(), shape.valueDim());
  }

  static int floats(Shape shape) {
    return new Chunk(shape).writtenAt(TOKENS);
  }

  int keptAt() {
    return 0;
  }

  int keyAt(int t) {
    return (1 + t) * keyDim;
  }

  int queryAt(int t) {
    return (1 + TOKENS + t) * keyDim;
  }

  int writeAt(int t) {
    return (1 + 2 * TOKENS + t) * keyDim;
  }

  int keyPairAt(int t, int s) {
    return (1 + 3 * TOKENS) * keyDim + t * TOKENS + s;
  }

  int queryPairAt(int t, int s) {
    return keyPairAt(TOKENS, 0) + t * TOKENS + s;
  }

  int writtenAt(int t) {
    return queryPairAt(TOKENS, 0) + t * valueDim;
  }
}
