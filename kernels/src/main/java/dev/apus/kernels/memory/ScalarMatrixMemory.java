package dev.apus.kernels.memory;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.kernels.math.ScalarSums;
import java.lang.foreign.MemorySegment;

/** The definition of {@link MatrixMemory}. */
public final class ScalarMatrixMemory extends ChunkedMemory {

  public ScalarMatrixMemory() {}

  @Override
  float dot(float[] a, int aAt, float[] b, int bAt, int count) {
    return ScalarSums.dot(a, aAt, b, bAt, count);
  }

  @Override
  void dots(float[] a, int aAt, float[] x, int xAt, int to, int count) {
    for (int s = 0; s < Chunk.WRITES; s++) {
      x[to + s] = dot(a, aAt, x, xAt + s * count, count);
    }
  }

  @Override
  void multiply(float[] a, int aAt, float[] x, int xAt, int to, int count) {
    for (int i = 0; i < count; i++) {
      x[to + i] = a[aAt + i] * x[xAt + i];
    }
  }

  @Override
  void scale(float factor, float[] x, int at, int count) {
    for (int i = at; i < at + count; i++) {
      x[i] *= factor;
    }
  }

  @Override
  void correct(float beta, float[] v, int vAt, float[] x, int xAt, int to, int count) {
    for (int j = 0; j < count; j++) {
      x[to + j] = beta * (v[vAt + j] - x[xAt + j]);
    }
  }

  @Override
  void sum(float[] x, int uAt, int pairAt, int writes, int xAt, float[] y, int yAt, int count) {
    for (int j = 0; j < count; j++) {
      float sum = x[xAt + j];
      for (int s = 0; s < writes; s++) {
        sum = Math.fma(x[pairAt + s], x[uAt + s * count + j], sum);
      }
      y[yAt + j] = sum;
    }
  }

  @Override
  void pass(
      Chunk done,
      Chunk next,
      int from,
      int to,
      Rows keys,
      Rows queries,
      MemorySegment state,
      long at,
      float[] x) {
    int valueDim = next.shape().valueDim();
    for (int i = 0; i < next.shape().keyDim(); i++) {
      for (int j = 0; j < valueDim; j++, at += Float.BYTES) {
        float s = state.get(JAVA_FLOAT_UNALIGNED, at);
        if (done != null) {
          s = written(done, i, j, s, x);
          state.set(JAVA_FLOAT_UNALIGNED, at, s);
        }
        for (int t = from; t < to; t++) {
          if (keys != null) {
            x[next.heldAt(t) + j] = Math.fma(s, keys.value(t - from, i), x[next.heldAt(t) + j]);
          }
          x[next.readAt(t) + j] = Math.fma(s, queries.value(t - from, i), x[next.readAt(t) + j]);
        }
      }
    }
  }

  /** What a cell of the matrix becomes. */
  private static float written(Chunk done, int i, int j, float s, float[] x) {
    if (done.decaysValues()) {
      s *= x[done.keptValueAt() + j];
    }
    s *= x[done.keptAt() + i];
    for (int w = 0; w < Chunk.WRITES; w++) {
      s = Math.fma(x[done.writeAt(w) + i], x[done.writtenAt(w) + j], s);
    }
    return s;
  }

  @Override
  public void write(
      Shape shape,
      float decay,
      float[] k,
      int kAt,
      float[] v,
      int vAt,
      MemorySegment state,
      long stateAt) {
    for (int i = 0; i < shape.keyDim(); i++) {
      for (int j = 0; j < shape.valueDim(); j++, stateAt += Float.BYTES) {
        float s = decay * state.get(JAVA_FLOAT_UNALIGNED, stateAt);
        state.set(JAVA_FLOAT_UNALIGNED, stateAt, Math.fma(k[kAt + i], v[vAt + j], s));
      }
    }
  }
}
