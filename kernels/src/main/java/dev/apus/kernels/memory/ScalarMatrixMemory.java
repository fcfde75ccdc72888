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
      Chunk chunk = new Chunk(shape);
      for (; t + Chunk.TOKENS <= tokens; t += Chunk.TOKENS) {
        prepare(shape, chunk, t, q, k, decay, scratch);
        for (int j = 0; j < shape.valueDim(); j++) {
          takeChunk(shape, chunk, t, j, v, beta, state, stateAt, o, scratch);
        }
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
    long rowBytes = shape.valueDim() * 4L;
    long at = stateAt + j * 4L;
    float held = 0;
    for (int i = 0; i < shape.keyDim(); i++) {
      float s = factor(shape, decay, t, i) * state.get(JAVA_FLOAT_UNALIGNED, at + i * rowBytes);
      state.set(JAVA_FLOAT_UNALIGNED, at + i * rowBytes, s);
      held = Math.fma(s, k.value(t, i), held);
    }
    float written = v.value(t, j);
    if (shape.write() == Write.DELTA) {
      written = beta.value(t, 0) * (written - held);
    }
    float sum = 0;
    for (int i = 0; i < shape.keyDim(); i++) {
      float s = state.get(JAVA_FLOAT_UNALIGNED, at + i * rowBytes);
      s = Math.fma(k.value(t, i), written, s);
      state.set(JAVA_FLOAT_UNALIGNED, at + i * rowBytes, s);
      sum = Math.fma(s, q.value(t, i), sum);
    }
    o.data()[o.start(t) + j] = sum;
  }

  /** Fills in what the columns of a chunk share. */
  private static void prepare(
      Shape shape, Chunk chunk, int from, Rows q, Rows k, Rows decay, float[] scratch) {
    int keyDim = shape.keyDim();
    for (int t = 0; t < Chunk.TOKENS; t++) {
      for (int i = 0; i < keyDim; i++) {
        float d = factor(shape, decay, from + t, i);
        float kept = t == 0 ? d : scratch[chunk.keptAt() + i] * d;
        scratch[chunk.keptAt() + i] = kept;
        scratch[chunk.keyAt(t) + i] = k.value(from + t, i) * kept;
        scratch[chunk.queryAt(t) + i] = q.value(from + t, i) * kept;
        for (int s = 0; s < t; s++) {
          scratch[chunk.writeAt(s) + i] *= d;
        }
        scratch[chunk.writeAt(t) + i] = k.value(from + t, i);
      }
      for (int s = 0; s <= t; s++) {
        int written = chunk.writeAt(s);
        scratch[chunk.keyPairAt(t, s)] =
            ScalarSums.dot(k.data(), k.start(from + t), scratch, written, keyDim);
        scratch[chunk.queryPairAt(t, s)] =
            ScalarSums.dot(q.data(), q.start(from + t), scratch, written, keyDim);
      }
    }
  }

  /** Takes column {@code j} of the memory past the tokens of a chunk. */
  private static void takeChunk(
      Shape shape,
      Chunk chunk,
      int from,
      int j,
      Rows v,
      Rows beta,
      MemorySegment state,
      long stateAt,
      Rows o,
      float[] scratch) {
    long rowBytes = shape.valueDim() * 4L;
    long at = stateAt + j * 4L;
    for (int t = 0; t < Chunk.TOKENS; t++) {
      float held = 0;
      float sum = 0;
      for (int i = 0; i < shape.keyDim(); i++) {
        float s = state.get(JAVA_FLOAT_UNALIGNED, at + i * rowBytes);
        held = Math.fma(s, scratch[chunk.keyAt(t) + i], held);
        sum = Math.fma(s, scratch[chunk.queryAt(t) + i], sum);
      }
      float written = v.value(from + t, j);
      if (shape.write() == Write.DELTA) {
        for (int s = 0; s < t; s++) {
          held = Math.fma(scratch[chunk.keyPairAt(t, s)], scratch[chunk.writtenAt(s) + j], held);
        }
        written = beta.value(from + t, 0) * (written - held);
      }
      scratch[chunk.writtenAt(t) + j] = written;
      for (int s = 0; s <= t; s++) {
        sum = Math.fma(scratch[chunk.queryPairAt(t, s)], scratch[chunk.writtenAt(s) + j], sum);
      }
      o.data()[o.start(from + t) + j] = sum;
    }
    for (int i = 0; i < shape.keyDim(); i++) {
      float s = scratch[chunk.keptAt() + i] * state.get(JAVA_FLOAT_UNALIGNED, at + i * rowBytes);
      for (int t = 0; t < Chunk.TOKENS; t++) {
        s = Math.fma(scratch[chunk.writeAt(t) + i], scratch[chunk.writtenAt(t) + j], s);
      }
      state.set(JAVA_FLOAT_UNALIGNED, at + i * rowBytes, s);
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
