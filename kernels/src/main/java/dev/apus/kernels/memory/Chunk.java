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
final class Chunk {

  static final int TOKENS = 4;

  private Chunk() {}

  static int floats(Shape shape) {
    return writtenAt(shape, TOKENS);
  }

  static int keptAt() {
    return 0;
  }

  static int keyAt(Shape shape, int t) {
    return (1 + t) * shape.keyDim();
  }

  static int queryAt(Shape shape, int t) {
    return (1 + TOKENS + t) * shape.keyDim();
  }

  static int writeAt(Shape shape, int t) {
    return (1 + 2 * TOKENS + t) * shape.keyDim();
  }

  static int keyPairAt(Shape shape, int t, int s) {
    return (1 + 3 * TOKENS) * shape.keyDim() + t * TOKENS + s;
  }

  static int queryPairAt(Shape shape, int t, int s) {
    return keyPairAt(shape, TOKENS, 0) + t * TOKENS + s;
  }

  static int writtenAt(Shape shape, int t) {
    return queryPairAt(shape, TOKENS, 0) + t * shape.valueDim();
  }
}
