package dev.apus.kernels.learning;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.kernels.math.ScalarSums;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;

/** The definition of {@link FastWeights}. */
public final class ScalarFastWeights implements FastWeights {

  public ScalarFastWeights() {}

  @Override
  public void apply(Shape shape, MemorySegment memory, long at, int tokens, Rows x, Rows y) {
    for (int t = 0; t < tokens; t++) {
      for (int j = 0; j < shape.outputs(); j++) {
        float sum = shape.biased() ? weight(shape, memory, at, shape.inputs(), j) : 0;
        for (int i = 0; i < shape.inputs(); i++) {
          sum = Math.fma(weight(shape, memory, at, i, j), x.value(t, i), sum);
        }
        y.data()[y.start(t) + j] = sum;
      }
    }
  }

  @Override
  public void back(
      Shape shape, MemorySegment memory, long at, int tokens, Rows g, Rows d, float[] scratch) {
    for (int i = 0; i < shape.inputs(); i++) {
      copyRows(shape, memory, at, i, 1, scratch);
      for (int t = 0; t < tokens; t++) {
        d.data()[d.start(t) + i] =
            ScalarSums.dot(scratch, 0, g.data(), g.start(t), shape.outputs());
      }
    }
  }

  /** Copies rows of a matrix from row {@code i} on. */
  static void copyRows(Shape shape, MemorySegment memory, long at, int i, int count, float[] rows) {
    int outputs = shape.outputs();
    long from = at + 4L * i * outputs;
    MemorySegment.copy(memory, JAVA_FLOAT_UNALIGNED, from, rows, 0, count * outputs);
  }

  @Override
  public void recall(Shape shape, int tokens, int before, Rows c, Rows q, Rows x, Rows g, Rows y) {
    int one = shape.biased() ? 1 : 0;
    for (int t = 0; t < tokens; t++) {
      for (int s = 0; s <= before + t; s++) {
        float likeness = ScalarSums.dot(x.data(), x.start(s), q.data(), q.start(t), shape.inputs());
        float factor = c.value(t, s) * (likeness + one);
        for (int j = 0; j < shape.outputs(); j++) {
          int to = y.start(t) + j;
          y.data()[to] = Math.fma(factor, g.value(s, j), y.data()[to]);
        }
      }
    }
  }

  @Override
  public void learn(
      Shape shape,
      int tokens,
      float keep,
      float[] c,
      int cAt,
      Rows x,
      Rows g,
      MemorySegment memory,
      long at) {
    int rows = shape.inputs() + (shape.biased() ? 1 : 0);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < shape.outputs(); j++) {
        float w = keep * weight(shape, memory, at, i, j);
        for (int s = 0; s < tokens; s++) {
          float factor = i < shape.inputs() ? c[cAt + s] * x.value(s, i) : c[cAt + s];
          w = Math.fma(factor, g.value(s, j), w);
        }
        memory.set(JAVA_FLOAT_UNALIGNED, at + 4L * (i * shape.outputs() + j), w);
      }
    }
  }

  @Override
  public void drift(
      int count, float keep, float rate, MemorySegment memory, long at, long velocityAt) {
    for (long i = 0; i < 4L * count; i += 4) {
      float w = keep * memory.get(JAVA_FLOAT_UNALIGNED, at + i);
      w = Math.fma(rate, memory.get(JAVA_FLOAT_UNALIGNED, velocityAt + i), w);
      memory.set(JAVA_FLOAT_UNALIGNED, at + i, w);
    }
  }

  private static float weight(Shape shape, MemorySegment memory, long at, int i, int j) {
    return memory.get(JAVA_FLOAT_UNALIGNED, at + 4L * (i * shape.outputs() + j));
  }
}
