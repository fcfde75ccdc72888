package dev.apus.kernels.levels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.kernels.math.ScalarSums;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;

/** The definition of {@link LevelMemory}. */
public final class ScalarLevelMemory implements LevelMemory {

  public ScalarLevelMemory() {}

  @Override
  public void meet(Shape shape, int tokens, Rows q, Rows k, Rows v, Rows w, Rows o) {
    for (int t = 0; t < tokens; t++) {
      float near = ScalarSums.dot(q.data(), q.start(t), k.data(), k.start(t), shape.keyDim());
      float scale = w.value(t, 0) * near;
      for (int j = 0; j < shape.valueDim(); j++) {
        o.data()[o.start(t) + j] = scale * v.value(t, j);
      }
    }
  }

  @Override
  public void read(Shape shape, int tokens, Rows q, Rows w, MemorySegment s, long at, Rows o) {
    long rowBytes = 4L * shape.valueDim();
    for (int t = 0; t < tokens; t++) {
      for (int j = 0; j < shape.valueDim(); j++) {
        float sum = 0;
        for (int i = 0; i < shape.keyDim(); i++) {
          float cell = s.get(JAVA_FLOAT_UNALIGNED, at + i * rowBytes + 4L * j);
          sum = Math.fma(cell, q.value(t, i), sum);
        }
        int to = o.start(t) + j;
        o.data()[to] = Math.fma(w.value(t, 0), sum, o.data()[to]);
      }
    }
  }

  @Override
  public void write(Shape shape, float[] k, int kAt, float[] v, int vAt, MemorySegment s, long at) {
    for (int i = 0; i < shape.keyDim(); i++) {
      for (int j = 0; j < shape.valueDim(); j++) {
        s.set(JAVA_FLOAT_UNALIGNED, at, k[kAt + i] * v[vAt + j]);
        at += 4;
      }
    }
  }

  @Override
  public void merge(Shape shape, float c, MemorySegment r, long rAt, MemorySegment s, long at) {
    merge(shape.floats(), c, r, rAt, s, at);
  }

  static void merge(long floats, float c, MemorySegment r, long rAt, MemorySegment s, long at) {
    for (long i = 0; i < 4 * floats; i += 4) {
      float own = s.get(JAVA_FLOAT_UNALIGNED, at + i);
      s.set(JAVA_FLOAT_UNALIGNED, at + i, Math.fma(c, r.get(JAVA_FLOAT_UNALIGNED, rAt + i), own));
    }
  }
}
