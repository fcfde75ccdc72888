package dev.apus.kernels.scan;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorMath;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link SelectiveScan} with channels in lanes. */
public final class VectorSelectiveScan implements SelectiveScan {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  public VectorSelectiveScan() {}

  @Override
  public void advance(
      Shape shape,
      int tokens,
      float[] a,
      int aAt,
      float[] d,
      int dAt,
      Rows x,
      Rows delta,
      Rows b,
      Rows c,
      MemorySegment state,
      long stateAt,
      Rows y) {
    int channels = shape.channels();
    int whole = LANES.loopBound(channels);
    for (int t = 0; t < tokens; t++) {
      for (int i = 0; i < whole; i += LANES.length()) {
        if (a == null) {
          implicit(
              shape.stateSize(),
              channels,
              d,
              dAt + i,
              x.data(),
              x.start(t) + i,
              delta.data(),
              delta.start(t) + i,
              b.data(),
              b.start(t),
              c.data(),
              c.start(t),
              state,
              stateAt + 4L * i,
              y.data(),
              y.start(t) + i);
          continue;
        }
        step(
            shape.stateSize(),
            channels,
            a,
            aAt + i,
            d,
            dAt + i,
            x.data(),
            x.start(t) + i,
            delta.data(),
            delta.start(t) + i,
            b.data(),
            b.start(t),
            c.data(),
            c.start(t),
            state,
            stateAt + 4L * i,
            y.data(),
            y.start(t) + i);
      }
    }
    if (whole < channels) {
      ScalarSelectiveScan.advance(
          shape, whole, tokens, a, aAt, d, dAt, x, delta, b, c, state, stateAt, y);
    }
  }

  /** Takes as many channels as there are lanes past one token. */
  private static void step(
      int stateSize,
      int channels,
      float[] a,
      int aAt,
      float[] d,
      int dAt,
      float[] x,
      int xAt,
      float[] delta,
      int deltaAt,
      float[] b,
      int bAt,
      float[] c,
      int cAt,
      MemorySegment state,
      long stateAt,
      float[] y,
      int yAt) {
    FloatVector in = FloatVector.fromArray(LANES, x, xAt);
    FloatVector step = FloatVector.fromArray(LANES, delta, deltaAt);
    FloatVector write = step.mul(in);
    FloatVector sum =
        d == null ? FloatVector.zero(LANES) : FloatVector.fromArray(LANES, d, dAt).mul(in);
    for (int n = 0; n < stateSize; n++) {
      long at = stateAt + 4L * n * channels;
      FloatVector decay =
          VectorMath.exp(FloatVector.fromArray(LANES, a, aAt + n * channels).mul(step));
      FloatVector h = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      h = decay.fma(h, write.mul(b[bAt + n]));
      h.intoMemorySegment(state, at, ORDER);
      sum = FloatVector.broadcast(LANES, c[cAt + n]).fma(h, sum);
    }
    sum.intoArray(y, yAt);
  }

  /** {@link #step} by the implicit rule. */
  private static void implicit(
      int stateSize,
      int channels,
      float[] d,
      int dAt,
      float[] x,
      int xAt,
      float[] delta,
      int deltaAt,
      float[] b,
      int bAt,
      float[] c,
      int cAt,
      MemorySegment state,
      long stateAt,
      float[] y,
      int yAt) {
    FloatVector in = FloatVector.fromArray(LANES, x, xAt);
    FloatVector step = FloatVector.fromArray(LANES, delta, deltaAt);
    FloatVector write = step.mul(in);
    FloatVector minus = step.neg();
    FloatVector one = FloatVector.broadcast(LANES, 1);
    FloatVector sum =
        d == null ? FloatVector.zero(LANES) : FloatVector.fromArray(LANES, d, dAt).mul(in);
    for (int n = 0; n < stateSize; n++) {
      long at = stateAt + 4L * n * channels;
      float written = b[bAt + n];
      FloatVector decay = minus.fma(FloatVector.broadcast(LANES, written * written), one);
      FloatVector h = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      h = decay.fma(h, write.mul(written));
      h.intoMemorySegment(state, at, ORDER);
      sum = FloatVector.broadcast(LANES, c[cAt + n]).fma(h, sum);
    }
    sum.intoArray(y, yAt);
  }
}
