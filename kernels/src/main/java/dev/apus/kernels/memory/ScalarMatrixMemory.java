package dev.apus.kernels.memory;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.kernels.math.ScalarSums;
import java.lang.foreign.MemorySegment;

/** The definition of {@link MatrixMemory}, in both its forms. */
public final class ScalarMatrixMemory implements MatrixMemory {

  private final int shortestChunked;

  public ScalarMatrixMemory() {
    this(SHORTEST_CHUNKED);
  }

  /**
   * @param shortestChunked runs of fewer tokens recur only
   */
  ScalarMatrixMemory(int shortestChunked) {
    this.shortestChunked = shortestChunked;
  }

  @Override
  public int scratchFloats(Shape shape) {
    return Chunk.floats(shape);
  }

  @Override
  public void advance(
      Shape shape,
      int tokens,
      Rows q,
      Rows k,
      Rows v,
      Rows decay,
      Rows beta,
      MemorySegment state,
      long stateAt,
      Rows o,
      float[] scratch) {
    int t = 0;
    if (tokens >= shortestChunked) {
      for (; t + Chunk.TOKENS <= tokens; t += Chunk.TOKENS) {
        if (shape.decay() == Decay.PER_KEY) {
          prepareDecayed(shape, t, q, k, decay, scratch);
        } else {
          prepare(shape, t, q, k, decay, scratch);
        }
        Chunk.copyValues(shape, t, v, scratch, 0);
        for (int j = 0; j < shape.valueDim(); j++) {
          takeChunk(shape, t, j, beta, state, stateAt, scratch);
        }
        Chunk.copyOutputs(shape, t, o, scratch, 0);
      }
    }
    for (; t < tokens; t++) {
      for (int j = 0; j < shape.valueDim(); j++) {
        recur(shape, t, j, q, k, v, decay, beta, state, stateAt, o);
      }
    }
  }

  /** Takes column {@code j} of the memory past one token. */
  private static void recur(
      Shape shape,
      int t,
      int j,
      Rows q,
      Rows k,
      Rows v,
      Rows decay,
      Rows beta,
      MemorySegment state,
      long stateAt,
      Rows o) {
    boolean perKey = shape.decay() == Decay.PER_KEY;
    float written = v.value(t, j);
    if (shape.write() == Write.DELTA) {
      float held = 0;
      for (int i = 0; i < shape.keyDim(); i++) {
        float key = perKey ? decay.value(t, i) * k.value(t, i) : k.value(t, i);
        held = Math.fma(cell(shape, state, stateAt, i, j), key, held);
      }
      held = perKey ? held : factor(shape, decay, t, 0) * held;
      written = beta.value(t, 0) * (written - held);
    }
    float sum = 0;
    for (int i = 0; i < shape.keyDim(); i++) {
      float s = factor(shape, decay, t, i) * cell(shape, state, stateAt, i, j);
      s = Math.fma(k.value(t, i), written, s);
      state.set(JAVA_FLOAT_UNALIGNED, stateAt + Blocks.at(shape, i, j), s);
      sum = Math.fma(s, q.value(t, i), sum);
    }
    o.data()[o.start(t) + j] = sum;
  }

  private static float cell(Shape shape, MemorySegment state, long stateAt, int i, int j) {
    return state.get(JAVA_FLOAT_UNALIGNED, stateAt + Blocks.at(shape, i, j));
  }

  /** Fills in what the columns of a chunk share, for one decay a token. */
  private static void prepare(Shape shape, int from, Rows q, Rows k, Rows decay, float[] scratch) {
    Chunk.copyKeys(shape, from, q, k, scratch, 0);
    for (int t = 0; t < Chunk.TOKENS; t++) {
      pairs(
          shape,
          scratch,
          Chunk.keyAt(shape, 0, t),
          scratch,
          Chunk.queryAt(shape, 0, t),
          t,
          scratch);
    }
    Chunk.decay(shape, decay, from, scratch, 0);
  }

  /** The products of a token's key and query with what the tokens up to it write with. */
  private static void pairs(
      Shape shape, float[] k, int kAt, float[] q, int qAt, int t, float[] scratch) {
    for (int s = 0; s <= t; s++) {
      int writeAt = Chunk.writeAt(shape, 0, s);
      scratch[Chunk.keyPairAt(0, t, s)] = ScalarSums.dot(k, kAt, scratch, writeAt, shape.keyDim());
      scratch[Chunk.queryPairAt(0, t, s)] =
          ScalarSums.dot(q, qAt, scratch, writeAt, shape.keyDim());
    }
  }

  /** Fills in what the columns of a chunk share, for a decay of each key. */
  private static void prepareDecayed(
      Shape shape, int from, Rows q, Rows k, Rows decay, float[] scratch) {
    int keyDim = shape.keyDim();
    for (int t = 0; t < Chunk.TOKENS; t++) {
      for (int i = 0; i < keyDim; i++) {
        float d = decay.value(from + t, i);
        int keptAt = Chunk.keptAt(shape, 0) + i;
        float kept = t == 0 ? d : scratch[keptAt] * d;
        scratch[keptAt] = kept;
        scratch[Chunk.keyAt(shape, 0, t) + i] = k.value(from + t, i) * kept;
        scratch[Chunk.queryAt(shape, 0, t) + i] = q.value(from + t, i) * kept;
        for (int s = 0; s < t; s++) {
          scratch[Chunk.writeAt(shape, 0, s) + i] *= d;
        }
        scratch[Chunk.writeAt(shape, 0, t) + i] = k.value(from + t, i);
      }
      pairs(shape, k.data(), k.start(from + t), q.data(), q.start(from + t), t, scratch);
    }
    Chunk.decayed(scratch, 0);
  }

  /** Takes column {@code j} of the memory past the tokens of a chunk. */
  private static void takeChunk(
      Shape shape, int from, int j, Rows beta, MemorySegment state, long stateAt, float[] scratch) {
    int c = j % Blocks.COLUMNS;
    for (int t = 0; t < Chunk.TOKENS; t++) {
      float held = 0;
      float sum = 0;
      for (int i = 0; i < shape.keyDim(); i++) {
        float s = cell(shape, state, stateAt, i, j);
        held = Math.fma(s, scratch[Chunk.keyAt(shape, 0, t) + i], held);
        sum = Math.fma(s, scratch[Chunk.queryAt(shape, 0, t) + i], sum);
      }
      scratch[Chunk.writtenAt(shape, t) + c] = held;
      scratch[Chunk.readAt(shape, 0, t) + j] = sum;
    }
    settle(shape, from, j, beta, scratch, 0);
    int keptStep = shape.decay() == Decay.PER_KEY ? 1 : 0;
    for (int i = 0; i < shape.keyDim(); i++) {
      float kept = scratch[Chunk.keptAt(shape, 0) + i * keptStep];
      float s = kept * cell(shape, state, stateAt, i, j);
      for (int t = 0; t < Chunk.TOKENS; t++) {
        float key = scratch[Chunk.writeAt(shape, 0, t) + i];
        s = Math.fma(key, scratch[Chunk.writtenAt(shape, t) + c], s);
      }
      state.set(JAVA_FLOAT_UNALIGNED, stateAt + Blocks.at(shape, i, j), s);
    }
  }

  /**
   * Turns what column {@code j} held for each token before the chunk into what is left at its end
   * of what the token writes, and what was read before it into outputs.
   */
  static void settle(Shape shape, int from, int j, Rows beta, float[] scratch, int chunkAt) {
    int c = j % Blocks.COLUMNS;
    for (int t = 0; t < Chunk.TOKENS; t++) {
      float factor = scratch[Chunk.factorAt(chunkAt, t)];
      float written = scratch[Chunk.valueAt(shape, chunkAt, t) + j];
      if (shape.write() == Write.DELTA) {
        float held = factor * scratch[Chunk.writtenAt(shape, t) + c];
        for (int s = 0; s < t; s++) {
          float pair = scratch[Chunk.keyPairAt(chunkAt, t, s)];
          held = Math.fma(pair, scratch[Chunk.writtenAt(shape, s) + c], held);
        }
        written = beta.value(from + t, 0) * (written - held);
      }
      scratch[Chunk.writtenAt(shape, t) + c] = written;
      float sum = factor * scratch[Chunk.readAt(shape, chunkAt, t) + j];
      for (int s = 0; s <= t; s++) {
        float pair = scratch[Chunk.queryPairAt(chunkAt, t, s)];
        sum = Math.fma(pair, scratch[Chunk.writtenAt(shape, s) + c], sum);
      }
      scratch[Chunk.readAt(shape, chunkAt, t) + j] = sum;
    }
    for (int t = 0; t < Chunk.TOKENS; t++) {
      scratch[Chunk.writtenAt(shape, t) + c] *= scratch[Chunk.leftAt(chunkAt, t)];
    }
  }

  private static float factor(Shape shape, Rows decay, int t, int i) {
    return switch (shape.decay()) {
      case NONE -> 1;
      case SCALAR -> decay.value(t, 0);
      case PER_KEY -> decay.value(t, i);
    };
  }
}
