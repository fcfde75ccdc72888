package dev.apus.kernels.memory;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.kernels.math.ScalarSums;
import java.lang.foreign.MemorySegment;

/** The definition of {@link MatrixMemory}, in both its forms. */
public final class ScalarMatrixMemory implements MatrixMemory {

  private final boolean chunked;

  public ScalarMatrixMemory() {
    this(true);
  }

  /**
   * @param chunked whether runs are taken in chunks; otherwise every token recurs
   */
  ScalarMatrixMemory(boolean chunked) {
    this.chunked = chunked;
  }

  @Override
  public int scratchFloats(Shape shape) {
    return Chunk.floats(shape);
  }

  @Override
  public void advance(
      Shape shape,
      int tokens,
      Inputs in,
      MemorySegment state,
      long stateAt,
      Rows o,
      float[] scratch) {
    int t = 0;
    int taken = Chunk.tokens(shape);
    for (; chunked && t + taken <= tokens; t += taken) {
      prepare(shape, t, in, scratch);
      for (int j = 0; j < shape.valueDim(); j++) {
        takeChunk(shape, t, j, in, state, stateAt, o, scratch);
      }
    }
    for (; t < tokens; t++) {
      float bonus = shape.read() == Read.BEFORE ? bonus(shape, t, in, scratch) : 0;
      for (int j = 0; j < shape.valueDim(); j++) {
        recur(shape, t, j, in, bonus, state, stateAt, o);
      }
    }
  }

  /** {@code q · (b ⊙ k)}. */
  private static float bonus(Shape shape, int t, Inputs in, float[] scratch) {
    int at = Chunk.weighedAt(shape);
    for (int i = 0; i < shape.keyDim(); i++) {
      scratch[at + i] = in.k().value(t, i) * in.b().value(t, i);
    }
    return ScalarSums.dot(in.q().data(), in.q().start(t), scratch, at, shape.keyDim());
  }

  /** Takes column {@code j} of the memory past one token. */
  private static void recur(
      Shape shape,
      int t,
      int j,
      Inputs in,
      float bonus,
      MemorySegment state,
      long stateAt,
      Rows o) {
    Write write = shape.write();
    boolean before = shape.read() == Read.BEFORE;
    long rowBytes = shape.valueDim() * 4L;
    long at = stateAt + j * 4L;
    float held = 0;
    float sum = 0;
    for (int i = 0; i < shape.keyDim(); i++) {
      float s = state.get(JAVA_FLOAT_UNALIGNED, at + i * rowBytes);
      held = write.seeks() ? Math.fma(s, in.p().value(t, i), held) : held;
      sum = before ? Math.fma(s, in.q().value(t, i), sum) : sum;
      s *= factor(shape, in.decay(), t, i, j);
      state.set(JAVA_FLOAT_UNALIGNED, at + i * rowBytes, s);
      held = write == Write.DELTA ? Math.fma(s, in.k().value(t, i), held) : held;
    }
    float written = in.v().value(t, j);
    if (write.scaled()) {
      written = in.beta().value(t, 0) * (written - held);
    }
    for (int i = 0; i < shape.keyDim(); i++) {
      float s = state.get(JAVA_FLOAT_UNALIGNED, at + i * rowBytes);
      s = write == Write.ERASE ? Math.fma(in.e().value(t, i), -held, s) : s;
      s = Math.fma(in.k().value(t, i), written, s);
      state.set(JAVA_FLOAT_UNALIGNED, at + i * rowBytes, s);
      sum = before ? sum : Math.fma(s, in.q().value(t, i), sum);
    }
    o.data()[o.start(t) + j] = before ? Math.fma(bonus, written, sum) : sum;
  }

  /** Fills in what the columns of a chunk share. */
  private static void prepare(Shape shape, int from, Inputs in, float[] scratch) {
    int keyDim = shape.keyDim();
    int writes = Chunk.writes(shape);
    for (int i = 0; i < keyDim; i++) {
      scratch[Chunk.keptAt() + i] = 1;
    }
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
      for (int i = 0; i < keyDim && shape.decay() != Decay.PER_VALUE; i++) {
        float d = factor(shape, in.decay(), token, i, 0);
        scratch[Chunk.keptAt() + i] *= d;
        for (int s = 0; s < before; s++) {
          scratch[Chunk.writeAt(shape, s) + i] *= d;
        }
      }
      for (int i = 0; i < keyDim; i++) {
        if (shape.write() == Write.ERASE) {
          scratch[Chunk.writeAt(shape, before) + i] = in.e().value(token, i);
        }
        scratch[Chunk.writeAt(shape, after - 1) + i] = in.k().value(token, i);
      }
      if (shape.write() == Write.DELTA) {
        look(shape, in.k(), token, before, keyAt, keyPairAt, scratch);
      }
      if (shape.read() == Read.AFTER) {
        look(shape, in.q(), token, after, queryAt, queryPairAt, scratch);
      }
    }
  }

  /** What a token looks for in the memory before the chunk, and in the chunk's first writes. */
  private static void look(
      Shape shape, Rows x, int token, int writes, int at, int pairAt, float[] scratch) {
    int keyDim = shape.keyDim();
    for (int i = 0; i < keyDim; i++) {
      scratch[at + i] = x.value(token, i) * scratch[Chunk.keptAt() + i];
    }
    for (int s = 0; s < writes; s++) {
      scratch[pairAt + s] =
          ScalarSums.dot(x.data(), x.start(token), scratch, Chunk.writeAt(shape, s), keyDim);
    }
  }

  /** Takes column {@code j} of the memory past the tokens of a chunk. */
  private static void takeChunk(
      Shape shape,
      int from,
      int j,
      Inputs in,
      MemorySegment state,
      long stateAt,
      Rows o,
      float[] scratch) {
    long rowBytes = shape.valueDim() * 4L;
    long at = stateAt + j * 4L;
    for (int t = 0; t < Chunk.tokens(shape); t++) {
      float held = 0;
      float sum = 0;
      for (int i = 0; i < shape.keyDim(); i++) {
        float s = state.get(JAVA_FLOAT_UNALIGNED, at + i * rowBytes);
        if (shape.write() != Write.ADD) {
          held = Math.fma(s, scratch[Chunk.keyAt(shape, t) + i], held);
        }
        sum = Math.fma(s, scratch[Chunk.queryAt(shape, t) + i], sum);
      }
      scratch[Chunk.heldAt(shape, t) + j] = held;
      scratch[Chunk.readAt(shape, t) + j] = sum;
    }
    float kept = settle(shape, from, j, in, o, scratch);
    for (int i = 0; i < shape.keyDim(); i++) {
      float s = scratch[Chunk.keptAt() + i] * state.get(JAVA_FLOAT_UNALIGNED, at + i * rowBytes);
      s *= kept;
      for (int w = 0; w < Chunk.WRITES; w++) {
        s =
            Math.fma(
                scratch[Chunk.writeAt(shape, w) + i], scratch[Chunk.writtenAt(shape, w) + j], s);
      }
      state.set(JAVA_FLOAT_UNALIGNED, at + i * rowBytes, s);
    }
  }

  /**
   * Turns what the tokens have read of column {@code j} as it was before the chunk into what they
   * write there, and into their outputs.
   *
   * @return what is left of the column by a decay of each value
   */
  private static float settle(Shape shape, int from, int j, Inputs in, Rows o, float[] scratch) {
    Write write = shape.write();
    int writes = Chunk.writes(shape);
    float kept = 1;
    for (int t = 0; t < Chunk.tokens(shape); t++) {
      int token = from + t;
      int before = t * writes;
      int after = before + writes;
      int own = Chunk.writtenAt(shape, after - 1) + j;
      int keyPairAt = Chunk.keyPairAt(shape, t, 0);
      int queryPairAt = Chunk.queryPairAt(shape, t, 0);
      float held = kept * scratch[Chunk.heldAt(shape, t) + j];
      float sum = kept * scratch[Chunk.readAt(shape, t) + j];
      if (write.seeks()) {
        held = addWritten(shape, j, before, keyPairAt, held, scratch);
      }
      if (shape.read() == Read.BEFORE) {
        sum = addWritten(shape, j, before, queryPairAt, sum, scratch);
      }
      if (shape.decay() == Decay.PER_VALUE) {
        float d = in.decay().value(token, j);
        kept *= d;
        for (int s = 0; s < before; s++) {
          scratch[Chunk.writtenAt(shape, s) + j] *= d;
        }
      }
      if (write == Write.DELTA) {
        held = kept * scratch[Chunk.heldAt(shape, t) + j];
        held = addWritten(shape, j, before, keyPairAt, held, scratch);
      }
      float written = in.v().value(token, j);
      if (write.scaled()) {
        written = in.beta().value(token, 0) * (written - held);
      } else if (write == Write.ERASE) {
        scratch[Chunk.writtenAt(shape, before) + j] = -held;
      }
      scratch[own] = written;
      if (shape.read() == Read.AFTER) {
        sum = kept * scratch[Chunk.readAt(shape, t) + j];
        sum = addWritten(shape, j, after, queryPairAt, sum, scratch);
      } else {
        sum = Math.fma(scratch[queryPairAt + after - 1], written, sum);
      }
      o.data()[o.start(token) + j] = sum;
    }
    return kept;
  }

  /** What is seen of the chunk's first writes, added to what is seen of the memory before. */
  private static float addWritten(
      Shape shape, int j, int writes, int pairAt, float sum, float[] scratch) {
    for (int s = 0; s < writes; s++) {
      sum = Math.fma(scratch[pairAt + s], scratch[Chunk.writtenAt(shape, s) + j], sum);
    }
    return sum;
  }

  private static float factor(Shape shape, Rows decay, int t, int i, int j) {
    return switch (shape.decay()) {
      case NONE -> 1;
      case SCALAR -> decay.value(t, 0);
      case PER_KEY -> decay.value(t, i);
      case PER_VALUE -> decay.value(t, j);
    };
  }
}
