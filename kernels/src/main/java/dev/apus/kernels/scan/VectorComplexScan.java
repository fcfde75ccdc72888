package dev.apus.kernels.scan;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link ComplexScan} with channels, or states that recur by themselves, in lanes. */
public final class VectorComplexScan implements ComplexScan {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private final ScalarComplexScan scalar = new ScalarComplexScan();

  public VectorComplexScan() {}

  @Override
  public void recur(
      float[] lambda,
      float[] gamma,
      int states,
      int from,
      int to,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long stateAt) {
    int i = from;
    for (; i + LENGTH <= to; i += LENGTH) {
      recurOne(lambda, gamma, states, i, tokens, x, xAt, xStride, state, stateAt);
    }
    scalar.recur(lambda, gamma, states, i, to, tokens, x, xAt, xStride, state, stateAt);
  }

  private static void recurOne(
      float[] lambda,
      float[] gamma,
      int states,
      int i,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long stateAt) {
    FloatVector lr = FloatVector.fromArray(LANES, lambda, i);
    FloatVector li = FloatVector.fromArray(LANES, lambda, states + i);
    FloatVector gr = FloatVector.fromArray(LANES, gamma, i);
    FloatVector gi = FloatVector.fromArray(LANES, gamma, states + i);
    FloatVector minusLi = li.neg();
    FloatVector minusGi = gi.neg();
    FloatVector hr = FloatVector.fromMemorySegment(LANES, state, stateAt + 4L * i, ORDER);
    FloatVector hi =
        FloatVector.fromMemorySegment(LANES, state, stateAt + 4L * (states + i), ORDER);
    for (int t = 0; t < tokens; t++) {
      int at = xAt + t * xStride + i;
      FloatVector xr = FloatVector.fromArray(LANES, x, at);
      FloatVector xi = FloatVector.fromArray(LANES, x, at + states);
      FloatVector ur = gr.fma(xr, minusGi.mul(xi));
      FloatVector ui = gr.fma(xi, gi.mul(xr));
      FloatVector r = lr.fma(hr, minusLi.fma(hi, ur));
      hi = lr.fma(hi, li.fma(hr, ui));
      hr = r;
      hr.intoArray(x, at);
      hi.intoArray(x, at + states);
    }
    hr.intoMemorySegment(state, stateAt + 4L * i, ORDER);
    hi.intoMemorySegment(state, stateAt + 4L * (states + i), ORDER);
  }

  @Override
  public void respond(
      Systems s,
      float[] skip,
      int from,
      int to,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long stateAt,
      float[] y,
      int yAt,
      int yStride) {
    MemorySegment values = s.values();
    long stride = s.stateBytes();
    int states = s.states();
    int c = from;
    for (; c + LENGTH <= to; c += LENGTH) {
      long at = s.at(c);
      long h = stateAt + Systems.stateAt(c, states);
      int in = xAt + c;
      int out = yAt + c;
      if (s.coupled()) {
        SystemTiles.coupled(
            values, at, states, skip, c, tokens, x, in, xStride, state, h, y, out, yStride);
        continue;
      }
      pass(skip, c, tokens, x, in, xStride, y, out, yStride);
      int n = 0;
      for (; n + 4 <= states; n += 4, at += 4 * stride, h += 8 * Systems.ROW_BYTES) {
        SystemTiles.four(values, at, tokens, x, in, xStride, state, h, y, out, yStride);
      }
      for (; n < states; n++, at += stride, h += 2 * Systems.ROW_BYTES) {
        SystemTiles.one(values, at, tokens, x, in, xStride, state, h, y, out, yStride);
      }
    }
    scalar.respond(s, skip, c, to, tokens, x, xAt, xStride, state, stateAt, y, yAt, yStride);
  }

  /** {@code y ← skip · x}. */
  private static void pass(
      float[] skip,
      int c,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      float[] y,
      int yAt,
      int yStride) {
    FloatVector d = FloatVector.fromArray(LANES, skip, c);
    for (int t = 0; t < tokens; t++) {
      d.mul(FloatVector.fromArray(LANES, x, xAt + t * xStride)).intoArray(y, yAt + t * yStride);
    }
  }
}
