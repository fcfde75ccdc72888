package dev.apus.kernels.memory;

import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;

/**
 * Where a chunk of tokens keeps in scratch what its columns share, and what each column turns into.
 * A chunk writes four times: {@code written} number s belongs to token {@code s / writes}. With
 * P(s, t) the product of the decays after write s up to token t, for each key, and P(t) that from
 * the chunk's start:
 *
 * <ul>
 *   <li>kept: P of the last token, what is left of the memory's rows,
 *   <li>key, query: {@code P(t) ⊙ k_t}, {@code P(t) ⊙ q_t}, which read the memory as it was before
 *       the chunk; {@code P(t − 1)}, and p for k, where the token reads before the memory decays,
 *   <li>write: {@code P(s, last) ⊙ k_s}, what is left of a written key at the end of the chunk,
 *   <li>key pair, query pair: {@code k_t · (P(s, t) ⊙ k_s)} and {@code q_t · (P(s, t) ⊙ k_s)}, with
 *       which token t sees what was written as number s; likewise,
 *   <li>weighed: {@code b ⊙ k_t} of the token at hand,
 *   <li>kept value: the product of the decays of each value,
 *   <li>held, read: what the token's key and query have read,
 *   <li>written: u of each write.
 * </ul>
 *
 * <p>Decays are only ever multiplied, never divided, so that a factor of 0 is as good as any.
 */
final class Chunk {

  /** How often a chunk writes. */
  static final int WRITES = 4;

  private Chunk() {}

  /** How often a token writes. */
  static int writes(Shape shape) {
    return shape.write() == Write.ERASE ? 2 : 1;
  }

  /** How many tokens a chunk has. */
  static int tokens(Shape shape) {
    return WRITES / writes(shape);
  }

  static int floats(Shape shape) {
    return writtenAt(shape, WRITES);
  }

  static int keptAt() {
    return 0;
  }

  static int keyAt(Shape shape, int t) {
    return (1 + t) * shape.keyDim();
  }

  /** Queries follow the keys, so that two tokens' are four rows. */
  static int queryAt(Shape shape, int t) {
    return keyAt(shape, tokens(shape) + t);
  }

  static int writeAt(Shape shape, int s) {
    return queryAt(shape, tokens(shape) + s);
  }

  static int weighedAt(Shape shape) {
    return writeAt(shape, WRITES);
  }

  static int keyPairAt(Shape shape, int t, int s) {
    return weighedAt(shape) + shape.keyDim() + t * WRITES + s;
  }

  static int queryPairAt(Shape shape, int t, int s) {
    return keyPairAt(shape, tokens(shape) + t, s);
  }

  static int keptValueAt(Shape shape) {
    return queryPairAt(shape, tokens(shape), 0);
  }

  static int heldAt(Shape shape, int t) {
    return keptValueAt(shape) + (1 + t) * shape.valueDim();
  }

  /** What queries read follows what keys read. */
  static int readAt(Shape shape, int t) {
    return heldAt(shape, tokens(shape) + t);
  }

  static int writtenAt(Shape shape, int s) {
    return readAt(shape, tokens(shape) + s);
  }
}
