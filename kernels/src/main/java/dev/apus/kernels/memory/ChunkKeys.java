package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorSums;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Read;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * What the columns of a {@link Chunk} share: its keys and queries under their decays, and how much
 * each sees of what the chunk writes.
 */
final class ChunkKeys {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();

  private ChunkKeys() {}

  /** Fills in what the columns of a chunk share. */
  static void prepare(Shape shape, int from, Inputs in, float[] scratch) {
    int keyDim = shape.keyDim();
    int writes = Chunk.writes(shape);
    fill(scratch, Chunk.keptAt(), keyDim);
    for (int t = 0; t < Chunk.tokens(shape); t++) {
      int token = from + t;
      int before = t * writes;
      int after = before + writes;
      int keyAt = Chunk.keyAt(shape, t);
      int keyPairAt = Chunk.keyPairAt(shape, t, 0);
      int queryAt = Chunk.queryAt(shape, t);
      int queryPairAt = Chunk.queryPairAt(shape, t, 0);
      if (shape.write().seeks()) {
        look(shape, in.p(), token, before, keyAt, keyPairAt, scratch);
      }
      if (shape.read() == Read.BEFORE) {
        look(shape, in.q(), token, before, queryAt, queryPairAt, scratch);
        scratch[queryPairAt + after - 1] = bonus(shape, token, in, scratch);
      }
      decayKeys(shape, in.decay(), token, before, scratch);
      if (shape.write() == Write.ERASE) {
        copy(in.e(), token, scratch, Chunk.writeAt(shape, before), keyDim);
      }
      copy(in.k(), token, scratch, Chunk.writeAt(shape, after - 1), keyDim);
      if (shape.write() == Write.DELTA) {
        look(shape, in.k(), token, before, keyAt, keyPairAt, scratch);
      }
      if (shape.read() == Read.AFTER) {
        look(shape, in.q(), token, after, queryAt, queryPairAt, scratch);
      }
    }
  }

  private static void copy(Rows x, int token, float[] scratch, int at, int count) {
    System.arraycopy(x.data(), x.start(token), scratch, at, count);
  }

  /** What a token looks for in the memory before the chunk, and in the chunk's first writes. */
  private static void look(
      Shape shape, Rows x, int token, int writes, int at, int pairAt, float[] scratch) {
    int keyDim = shape.keyDim();
    multiply(x.data(), x.start(token), scratch, Chunk.keptAt(), at, keyDim);
    for (int s = 0; s < writes; s++) {
      scratch[pairAt + s] =
          VectorSums.dot(x.data(), x.start(token), scratch, Chunk.writeAt(shape, s), keyDim);
    }
  }

  /** {@code q · (b ⊙ k)}. */
  static float bonus(Shape shape, int token, Inputs in, float[] scratch) {
    int at = Chunk.weighedAt(shape);
    int keyDim = shape.keyDim();
    copy(in.k(), token, scratch, at, keyDim);
    multiply(in.b().data(), in.b().start(token), scratch, at, at, keyDim);
    return VectorSums.dot(in.q().data(), in.q().start(token), scratch, at, keyDim);
  }

  private static void decayKeys(Shape shape, Rows d, int token, int writes, float[] scratch) {
    if (shape.decay() == Decay.NONE || shape.decay() == Decay.PER_VALUE) {
      return;
    }
    boolean perKey = shape.decay() == Decay.PER_KEY;
    int keyDim = shape.keyDim();
    decay(perKey, d.data(), d.start(token), scratch, Chunk.keptAt(), keyDim);
    for (int s = 0; s < writes; s++) {
      decay(perKey, d.data(), d.start(token), scratch, Chunk.writeAt(shape, s), keyDim);
    }
  }

  static void fill(float[] x, int at, int count) {
    for (int i = at; i < at + count; i++) {
      x[i] = 1;
    }
  }

  /** {@code x ← d · x}, with one factor or one for each key. */
  private static void decay(boolean perKey, float[] d, int dAt, float[] x, int xAt, int count) {
    if (perKey) {
      multiply(d, dAt, x, xAt, xAt, count);
      return;
    }
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      FloatVector.fromArray(LANES, x, xAt + i).mul(d[dAt]).intoArray(x, xAt + i);
    }
    for (; i < count; i++) {
      x[xAt + i] *= d[dAt];
    }
  }

  /** {@code x[to …] ← a · x[xAt …]}. */
  static void multiply(float[] a, int aAt, float[] x, int xAt, int to, int count) {
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      v.mul(FloatVector.fromArray(LANES, a, aAt + i)).intoArray(x, to + i);
    }
    for (; i < count; i++) {
      x[to + i] = x[xAt + i] * a[aAt + i];
    }
  }
}
