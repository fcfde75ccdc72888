package dev.apus.kernels.memory;

import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import java.util.Arrays;

/**
 * Where the chunks of a group keep in scratch what all columns share. With P(s, t) the product of
 * the decays after token s up to token t, and P(t) that from the chunk's start:
 *
 * <ul>
 *   <li>key, query: what reads the memory as it was before the chunk,
 *   <li>factor: what such a reading is multiplied by,
 *   <li>key pair, query pair: {@code k_t · (P(s, t) ⊙ k_s)} and {@code q_t · (P(s, t) ⊙ k_s)}, with
 *       which token t sees what token s wrote,
 *   <li>write: what is written with at the end of the chunk, and left: what its value is multiplied
 *       by before,
 *   <li>kept: what is left of the memory at the end of the chunk,
 *   <li>value: v, and read: first what the memory gave, then the output. Rows of inputs and outputs
 *       are far apart, often by a power of two, so that they displace one another in a cache; they
 *       are copied, many at a time, and are close together meanwhile.
 * </ul>
 *
 * <p>With one decay factor for all keys, keys are used as they are, factor is P(t), left is P(t,
 * last), and kept is one number. With one for each key, key and query are {@code P(t) ⊙ k_t} and
 * {@code P(t) ⊙ q_t}, write is {@code P(t, last) ⊙ k_t}, kept is a row, and factor and left are 1.
 *
 * <p>Decays are only ever multiplied, never divided, so that a factor of 0 is as good as any.
 */
final class Chunk {

  static final int TOKENS = 8;

  /** Chunks that a block of columns passes before the next block does. */
  static final int GROUP = 4;

  private static final int FACTORS = 0;
  private static final int LEFT = FACTORS + TOKENS;
  private static final int KEY_PAIRS = LEFT + TOKENS;
  private static final int QUERY_PAIRS = KEY_PAIRS + TOKENS * TOKENS;
  private static final int KEYS = QUERY_PAIRS + TOKENS * TOKENS;

  private Chunk() {}

  /** What a group takes, and u of each token of a chunk in one block. */
  static int floats(Shape shape) {
    return writtenAt(shape, TOKENS);
  }

  /** Where the chunk with this number in its group begins. */
  static int start(Shape shape, int chunk) {
    return chunk * readAt(shape, 0, TOKENS);
  }

  static int factorAt(int chunkAt, int t) {
    return chunkAt + FACTORS + t;
  }

  static int leftAt(int chunkAt, int t) {
    return chunkAt + LEFT + t;
  }

  static int keyPairAt(int chunkAt, int t, int s) {
    return chunkAt + KEY_PAIRS + t * TOKENS + s;
  }

  static int queryPairAt(int chunkAt, int t, int s) {
    return chunkAt + QUERY_PAIRS + t * TOKENS + s;
  }

  static int keyAt(Shape shape, int chunkAt, int t) {
    return chunkAt + KEYS + t * shape.keyDim();
  }

  static int queryAt(Shape shape, int chunkAt, int t) {
    return keyAt(shape, chunkAt, TOKENS + t);
  }

  static int writeAt(Shape shape, int chunkAt, int t) {
    boolean perKey = shape.decay() == Decay.PER_KEY;
    return perKey ? keyAt(shape, chunkAt, 2 * TOKENS + t) : keyAt(shape, chunkAt, t);
  }

  static int keptAt(Shape shape, int chunkAt) {
    return keyAt(shape, chunkAt, shape.decay() == Decay.PER_KEY ? 3 * TOKENS : 2 * TOKENS);
  }

  static int valueAt(Shape shape, int chunkAt, int t) {
    int kept = shape.decay() == Decay.PER_KEY ? shape.keyDim() : 1;
    return keptAt(shape, chunkAt) + kept + t * shape.valueDim();
  }

  static int readAt(Shape shape, int chunkAt, int t) {
    return valueAt(shape, chunkAt, TOKENS + t);
  }

  /** What token {@code t} of the chunk writes into the block that is at work. */
  static int writtenAt(Shape shape, int t) {
    return start(shape, GROUP) + t * Blocks.COLUMNS;
  }

  static void copyValues(Shape shape, int from, Rows v, float[] scratch, int chunkAt) {
    for (int t = 0; t < TOKENS; t++) {
      int valueAt = valueAt(shape, chunkAt, t);
      System.arraycopy(v.data(), v.start(from + t), scratch, valueAt, shape.valueDim());
    }
  }

  static void copyOutputs(Shape shape, int from, Rows o, float[] scratch, int chunkAt) {
    for (int t = 0; t < TOKENS; t++) {
      int readAt = readAt(shape, chunkAt, t);
      System.arraycopy(scratch, readAt, o.data(), o.start(from + t), shape.valueDim());
    }
  }

  static void copyKeys(Shape shape, int from, Rows q, Rows k, float[] scratch, int chunkAt) {
    for (int t = 0; t < TOKENS; t++) {
      int keyAt = keyAt(shape, chunkAt, t);
      int queryAt = queryAt(shape, chunkAt, t);
      System.arraycopy(k.data(), k.start(from + t), scratch, keyAt, shape.keyDim());
      System.arraycopy(q.data(), q.start(from + t), scratch, queryAt, shape.keyDim());
    }
  }

  /** Fills in the factors of a chunk for one decay a token, and decays its pairs. */
  static void decay(Shape shape, Rows decay, int from, float[] scratch, int chunkAt) {
    float all = 1;
    for (int t = 0; t < TOKENS; t++) {
      all *= factor(decay, from + t);
      scratch[factorAt(chunkAt, t)] = all;
    }
    scratch[keptAt(shape, chunkAt)] = all;
    for (int s = 0; s < TOKENS; s++) {
      float since = 1;
      for (int t = s + 1; t < TOKENS; t++) {
        since *= factor(decay, from + t);
        scratch[keyPairAt(chunkAt, t, s)] *= since;
        scratch[queryPairAt(chunkAt, t, s)] *= since;
      }
      scratch[leftAt(chunkAt, s)] = since;
    }
  }

  /** Fills in the factors of a chunk whose rows are decayed. */
  static void decayed(float[] scratch, int chunkAt) {
    Arrays.fill(scratch, factorAt(chunkAt, 0), factorAt(chunkAt, TOKENS), 1);
    Arrays.fill(scratch, leftAt(chunkAt, 0), leftAt(chunkAt, TOKENS), 1);
  }

  private static float factor(Rows decay, int t) {
    return decay == null ? 1 : decay.value(t, 0);
  }
}
