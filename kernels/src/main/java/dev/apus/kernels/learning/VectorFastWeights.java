package dev.apus.kernels.learning;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorSums;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link FastWeights} with outputs in lanes. */
public final class VectorFastWeights implements FastWeights {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  public VectorFastWeights() {}

  @Override
  public void apply(Shape shape, MemorySegment memory, long at, int tokens, Rows x, Rows y) {
    int t = 0;
    for (; t + 4 <= tokens; t += 4) {
      ApplyTiles.four(
          shape, memory, at, x.data(), x.start(t), x.stride(), y.data(), y.start(t), y.stride());
    }
    for (; t < tokens; t++) {
      ApplyTiles.one(shape, memory, at, x.data(), x.start(t), y.data(), y.start(t));
    }
  }

  @Override
  public void back(
      Shape shape, MemorySegment memory, long at, int tokens, Rows g, Rows d, float[] scratch) {
    int outputs = shape.outputs();
    int i = 0;
    for (; i + ROWS <= shape.inputs(); i += ROWS) {
      ScalarFastWeights.copyRows(shape, memory, at, i, ROWS, scratch);
      for (int t = 0; t < tokens; t++) {
        VectorSums.dots(
            g.data(), g.start(t), scratch, 0, outputs, outputs, d.data(), d.start(t) + i);
      }
    }
    for (; i < shape.inputs(); i++) {
      ScalarFastWeights.copyRows(shape, memory, at, i, 1, scratch);
      for (int t = 0; t < tokens; t++) {
        d.data()[d.start(t) + i] = VectorSums.dot(scratch, 0, g.data(), g.start(t), outputs);
      }
    }
  }

  @Override
  public void recall(Shape shape, int tokens, int before, Rows c, Rows q, Rows x, Rows g, Rows y) {
    int one = shape.biased() ? 1 : 0;
    int inputs = shape.inputs();
    float[] likeness = new float[ROWS];
    for (int t = 0; t < tokens; t++) {
      int seen = before + t + 1;
      for (int s = 0; s < seen; ) {
        int some = s + ROWS <= seen ? ROWS : 1;
        if (some == ROWS) {
          VectorSums.dots(
              q.data(), q.start(t), x.data(), x.start(s), x.stride(), inputs, likeness, 0);
        } else {
          likeness[0] = VectorSums.dot(x.data(), x.start(s), q.data(), q.start(t), inputs);
        }
        for (int i = 0; i < some; i++, s++) {
          float factor = c.value(t, s) * (likeness[i] + one);
          add(factor, g.data(), g.start(s), y.data(), y.start(t), shape.outputs());
        }
      }
    }
  }

  private static void add(float factor, float[] g, int gAt, float[] y, int yAt, int count) {
    FloatVector f = FloatVector.broadcast(LANES, factor);
    int j = 0;
    for (; j < LANES.loopBound(count); j += LENGTH) {
      FloatVector sum = FloatVector.fromArray(LANES, y, yAt + j);
      FloatVector.fromArray(LANES, g, gAt + j).fma(f, sum).intoArray(y, yAt + j);
    }
    for (; j < count; j++) {
      y[yAt + j] = Math.fma(factor, g[gAt + j], y[yAt + j]);
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
    int i = 0;
    for (; i + 4 <= shape.inputs(); i += 4) {
      LearnTiles.four(
          shape,
          i,
          tokens,
          keep,
          c,
          cAt,
          x.data(),
          x.at() + i,
          x.stride(),
          g.data(),
          g.at(),
          g.stride(),
          memory,
          at);
    }
    for (; i < shape.inputs(); i++) {
      LearnTiles.one(
          shape,
          i,
          tokens,
          keep,
          c,
          cAt,
          x.data(),
          x.at() + i,
          x.stride(),
          g.data(),
          g.at(),
          g.stride(),
          memory,
          at);
    }
    if (shape.biased()) {
      LearnTiles.one(
          shape,
          i,
          tokens,
          keep,
          c,
          cAt,
          LearnTiles.ONE,
          0,
          0,
          g.data(),
          g.at(),
          g.stride(),
          memory,
          at);
    }
  }

  @Override
  public void drift(
      int count, float keep, float rate, MemorySegment memory, long at, long velocityAt) {
    FloatVector r = FloatVector.broadcast(LANES, rate);
    int whole = LANES.loopBound(count);
    for (int i = 0; i < whole; i += LENGTH) {
      FloatVector w = FloatVector.fromMemorySegment(LANES, memory, at + 4L * i, ORDER).mul(keep);
      w = FloatVector.fromMemorySegment(LANES, memory, velocityAt + 4L * i, ORDER).fma(r, w);
      w.intoMemorySegment(memory, at + 4L * i, ORDER);
    }
    for (int i = whole; i < count; i++) {
      float w = keep * memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at + 4L * i);
      w = Math.fma(rate, memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, velocityAt + 4L * i), w);
      memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at + 4L * i, w);
    }
  }
}
