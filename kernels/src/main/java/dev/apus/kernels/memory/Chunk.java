package dev.apus.kernels.memory;

import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Read;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.util.Arrays;

/**
 * Where a chunk of tokens keeps in scratch what its columns share, and what each column turns into.
 * A chunk writes four times: {@code written} number s belongs to token {@code s / writes}. With
 * P(s, t) the product of the decays after write s up to token t, for each key or one number for
 * all, and P(t) that from the chunk's start:
 *
 * <ul>
 *   <li>left: {@code P(s, newest)} of each write and P of the newest token, if they are numbers,
 *   <li>kept: P of the newest token, what is left of the memory's rows; only of a full chunk where
 *       P is a number,
 *   <li>key, query: {@code P(t) ⊙ k_t}, {@code P(t) ⊙ q_t}, which read the memory as it was before
 *       the chunk; {@code P(t − 1)}, and p for k, where the token reads before the memory decays.
 *       Where P is a number keys and queries read as they came, and it meets what they read,
 *   <li>write: {@code P(s, newest) ⊙ k_s}, what is left of a written key; where P is a number, k_s
 *       itself, only of a full chunk,
 *   <li>weighed: {@code b ⊙ k_t} of the token at hand,
 *   <li>factors: the decay of a token that is recalled,
 *   <li>key pair, query pair: {@code k_t · (P(s, t) ⊙ k_s)} and {@code q_t · (P(s, t) ⊙ k_s)}, with
 *       which the token at hand sees what was written as number s, and P(t), if it is a number,
 *       with which it sees the memory before the chunk,
 *   <li>sums: products of the token's query with the chunk's first three keys and with its own, and
 *       of its key with the first three,
 *   <li>kept value: the product of the decays of each value,
 *   <li>held, read: what the token's key and query have read,
 *   <li>written: u of each write, under the decays of each value since; without such decays only of
 *       a full chunk, times P(s, newest) if that is a number.
 * </ul>
 *
 * <p>What is only of a full chunk lies in the state until then, see {@link Pending}. Decays are
 * only ever multiplied, never divided, so that a factor of 0 is as good as any.
 *
 * @param base where in scratch all of this begins
 */
record Chunk(Shape shape, int base) {

  /** How often a chunk writes. */
  static final int WRITES = 4;

  /** Pairs of a token, the last with the memory before the chunk. */
  private static final int PAIRS = WRITES + 1;

  /** Values that sums of products are made in. */
  private static final int SUMS = 16;

  /** How often a token writes. */
  static int writes(Shape shape) {
    return shape.write() == Write.ERASE ? 2 : 1;
  }

  /** How many tokens a chunk has. */
  static int tokens(Shape shape) {
    return WRITES / writes(shape);
  }

  /** How many factors a token decays the memory with. */
  static int decays(Shape shape) {
    return switch (shape.decay()) {
      case NONE -> 0;
      case SCALAR -> 1;
      case PER_KEY -> shape.keyDim();
      case PER_VALUE -> shape.valueDim();
    };
  }

  static int floats(Shape shape) {
    return new Chunk(shape, 0).writtenAt(WRITES);
  }

  int writes() {
    return writes(shape);
  }

  int tokens() {
    return tokens(shape);
  }

  boolean decaysKeys() {
    return shape.decay() == Decay.PER_KEY;
  }

  /** Whether a token's key and query look at the same keys at the same time. */
  boolean looksOnce() {
    boolean writesOnce = shape.write() == Write.ADD || shape.write() == Write.DELTA;
    return writesOnce && shape.read() == Read.AFTER && !decaysKeys();
  }

  boolean decaysValues() {
    return shape.decay() == Decay.PER_VALUE;
  }

  int keptAt() {
    return base;
  }

  int keyAt(int t) {
    return base + (1 + t) * shape.keyDim();
  }

  /** Queries follow the keys, so that two tokens' are four rows. */
  int queryAt(int t) {
    return keyAt(tokens() + t);
  }

  int writeAt(int s) {
    return queryAt(tokens() + s);
  }

  int weighedAt() {
    return writeAt(WRITES);
  }

  int factorsAt() {
    return weighedAt() + shape.keyDim();
  }

  int keyPairAt(int t) {
    return factorsAt() + Math.max(shape.keyDim(), shape.valueDim()) + t * PAIRS;
  }

  int queryPairAt(int t) {
    return keyPairAt(tokens() + t);
  }

  /** Of write s, and of the memory before the chunk behind those of all writes. */
  int leftAt(int s) {
    return queryPairAt(tokens()) + s;
  }

  int sumsAt() {
    return leftAt(WRITES + 1);
  }

  int keptValueAt() {
    return sumsAt() + SUMS;
  }

  int heldAt(int t) {
    return keptValueAt() + (1 + t) * shape.valueDim();
  }

  /** What queries read follows what keys read. */
  int readAt(int t) {
    return heldAt(tokens() + t);
  }

  int writtenAt(int s) {
    return readAt(tokens() + s);
  }

  /** Makes scratch ready for the first token. */
  void begin(float[] x) {
    Arrays.fill(x, leftAt(0), leftAt(WRITES + 1), 1);
    if (decaysKeys()) {
      Arrays.fill(x, keptAt(), keptAt() + shape.keyDim(), 1);
    }
    if (decaysValues()) {
      Arrays.fill(x, keptValueAt(), keptValueAt() + shape.valueDim(), 1);
    }
  }

  /**
   * What tokens read with for what they write, from the chunk's token {@code t} on, which is {@code
   * token} of the input; null where they do not.
   */
  Rows keys(int t, Inputs in, int token, float[] x) {
    if (shape.write() == Write.ADD) {
      return null;
    }
    Rows keys = shape.write() == Write.DELTA ? in.k() : in.p();
    return decaysKeys()
        ? new Rows(x, keyAt(t), shape.keyDim())
        : new Rows(keys.data(), keys.start(token), keys.stride());
  }

  /** What tokens read with for their answers. */
  Rows queries(int t, Inputs in, int token, float[] x) {
    return decaysKeys()
        ? new Rows(x, queryAt(t), shape.keyDim())
        : new Rows(in.q().data(), in.q().start(token), in.q().stride());
  }
}
