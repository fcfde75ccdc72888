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
        prepare(shape, t, q, k, decay, scratch);
        for (int j = 0; j < shape.valueDim(); j++) {
          takeChunk(shape, t, j, v, beta, state, stateAt, o, scratch);
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
  private static void prepare(Shape shape, int from, Rows q, Rows k, Rows decay, float[] scratch) {
    int keyDim = shape.keyDim();
    for (int t = 0; t < Chunk.TOKENS; t++) {
      for (int i = 0; i < keyDim; i++) {
        float d = factor(shape, decay, from + t, i);
        float kept = t == 0 ? d : scratch[Chunk.keptAt() + i] * d;
        scratch[Chunk.keptAt() + i] = kept;
        scratch[Chunk.keyAt(shape, t) + i] = k.value(from + t, i) * kept;
        scratch[Chunk.queryAt(shape, t) + i] = q.value(from + t, i) * kept;
        for (int s = 0; s < t; s++) {
          scratch[Chunk.writeAt(shape, s) + i] *= d;
        }
        scratch[Chunk.writeAt(shape, t) + i] = k.value(from + t, i);
      }
      for (int s = 0; s <= t; s++) {
        int written = Chunk.writeAt(shape, s);
        scratch[Chunk.keyPairAt(shape, t, s)] =
            ScalarSums.dot(k.data(), k.start(from + t), scratch, written, keyDim);
        scratch[Chunk.queryPairAt(shape, t, s)] =
            ScalarSums.dot(q.data(), q.start(from + t), scratch, written, keyDim);
      }
    }
  }

  /** Takes column {@code j} of the memory past the tokens of a chunk. */
  private static void takeChunk(
      Shape shape,
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
        held = Math.fma(s, scratch[Chunk.keyAt(shape, t) + i], held);
        sum = Math.fma(s, scratch[Chunk.queryAt(shape, t) + i], sum);
      }
      scratch[Chunk.writtenAt(shape, t) + j] = held;
      o.data()[o.start(from + t) + j] = sum;
    }
    settle(shape, from, j, v, beta, o, scratch);
    for (int i = 0; i < shape.keyDim(); i++) {
      float s = scratch[Chunk.keptAt() + i] * state.get(JAVA_FLOAT_UNALIGNED, at + i * rowBytes);
      for (int t = 0; t < Chunk.TOKENS; t++) {
        s =
            Math.fma(
                scratch[Chunk.writeAt(shape, t) + i], scratch[Chunk.writtenAt(shape, t) + j], s);
      }
      state.set(JAVA_FLOAT_UNALIGNED, at + i * rowBytes, s);
    }
  }

  /**
   * Turns what column {@code j} held for each token before the chunk into what the token writes,
   * and adds to each output what it reads of that.
   */
  static void settle(Shape shape, int from, int j, Rows v, Rows beta, Rows o, float[] scratch) {
    for (int t = 0; t < Chunk.TOKENS; t++) {
      float written = v.value(from + t, j);
      if (shape.write() == Write.DELTA) {
        float held = scratch[Chunk.writtenAt(shape, t) + j];
        for (int s = 0; s < t; s++) {
          held =
              Math.fma(
                  scratch[Chunk.keyPairAt(shape, t, s)],
                  scratch[Chunk.writtenAt(shape, s) + j],
                  held);
        }
        written = beta.value(from + t, 0) * (written - held);
      }
      scratch[Chunk.writtenAt(shape, t) + j] = written;
      float sum = o.value(from + t, j);
      for (int s = 0; s <= t; s++) {
        sum =
            Math.fma(
                scratch[Chunk.queryPairAt(shape, t, s)],
                scratch[Chunk.writtenAt(shape, s) + j],
                sum);
      }
      o.data()[o.start(from + t) + j] = sum;
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
