package dev.apus.kernels.scan;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The definition of {@link ComplexScan}. */
public final class ScalarComplexScan implements ComplexScan {

  public ScalarComplexScan() {}

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
    for (int i = from; i < to; i++) {
      float lr = lambda[i];
      float li = lambda[states + i];
      float gr = gamma[i];
      float gi = gamma[states + i];
      float hr = state.get(JAVA_FLOAT_UNALIGNED, stateAt + 4L * i);
      float hi = state.get(JAVA_FLOAT_UNALIGNED, stateAt + 4L * (states + i));
      for (int t = 0; t < tokens; t++) {
        int at = xAt + t * xStride + i;
        float xr = x[at];
        float xi = x[at + states];
        float ur = Math.fma(gr, xr, -gi * xi);
        float ui = Math.fma(gr, xi, gi * xr);
        float r = Math.fma(lr, hr, Math.fma(-li, hi, ur));
        hi = Math.fma(lr, hi, Math.fma(li, hr, ui));
        hr = r;
        x[at] = hr;
        x[at + states] = hi;
      }
      state.set(JAVA_FLOAT_UNALIGNED, stateAt + 4L * i, hr);
      state.set(JAVA_FLOAT_UNALIGNED, stateAt + 4L * (states + i), hi);
    }
  }

  @Override
  public void respond(
      Systems systems,
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
    for (int c = from; c < to; c++) {
      float sum = systems.coupled() ? sum(systems, c, state, stateAt) : 0;
      for (int t = 0; t < tokens; t++) {
        float in = x[xAt + t * xStride + c];
        int out = yAt + t * yStride + c;
        if (systems.coupled()) {
          sum = coupled(systems, skip[c], c, in, sum, state, stateAt, y, out);
        } else {
          y[out] = step(systems, skip[c], c, in, state, stateAt);
        }
      }
    }
  }

  /** Takes one channel past its input and returns y. */
  static float step(Systems s, float skip, int c, float x, MemorySegment state, long stateAt) {
    long from = s.at(c);
    long at = stateAt + Systems.stateAt(c, s.states());
    float y = skip * x;
    for (int n = 0; n < s.states(); n++, at += 2 * Systems.ROW_BYTES) {
      float lr = s.value(from, n, 0);
      float li = s.value(from, n, 1);
      float hr = state.get(JAVA_FLOAT_UNALIGNED, at);
      float hi = state.get(JAVA_FLOAT_UNALIGNED, at + Systems.ROW_BYTES);
      float r = Math.fma(lr, hr, Math.fma(-li, hi, x));
      float i = Math.fma(lr, hi, li * hr);
      state.set(JAVA_FLOAT_UNALIGNED, at, r);
      state.set(JAVA_FLOAT_UNALIGNED, at + Systems.ROW_BYTES, i);
      y = Math.fma(s.value(from, n, 2), r, y);
      y = Math.fma(-s.value(from, n, 3), i, y);
    }
    return y;
  }

  /** {@code Σₙ Re(w[n] · h[n])} of one channel. */
  static float sum(Systems s, int c, MemorySegment state, long stateAt) {
    long from = s.at(c);
    long at = stateAt + Systems.stateAt(c, s.states());
    float f = 0;
    for (int n = 0; n < s.states(); n++, at += 2 * Systems.ROW_BYTES) {
      f = Math.fma(s.value(from, n, 8), state.get(JAVA_FLOAT_UNALIGNED, at), f);
      float hi = state.get(JAVA_FLOAT_UNALIGNED, at + Systems.ROW_BYTES);
      f = Math.fma(-s.value(from, n, 9), hi, f);
    }
    return f;
  }

  /** Takes one channel of a coupled system past its input and returns the sum for the next. */
  static float coupled(
      Systems s,
      float skip,
      int c,
      float x,
      float f,
      MemorySegment state,
      long stateAt,
      float[] y,
      int yAt) {
    long from = s.at(c);
    long at = stateAt + Systems.stateAt(c, s.states());
    float out = skip * x;
    float next = 0;
    for (int n = 0; n < s.states(); n++, at += 2 * Systems.ROW_BYTES) {
      float lr = s.value(from, n, 0);
      float li = s.value(from, n, 1);
      float hr = state.get(JAVA_FLOAT_UNALIGNED, at);
      float hi = state.get(JAVA_FLOAT_UNALIGNED, at + Systems.ROW_BYTES);
      float ur = Math.fma(s.value(from, n, 4), x, s.value(from, n, 6) * f);
      float ui = Math.fma(s.value(from, n, 5), x, s.value(from, n, 7) * f);
      float r = Math.fma(lr, hr, Math.fma(-li, hi, ur));
      float i = Math.fma(lr, hi, Math.fma(li, hr, ui));
      state.set(JAVA_FLOAT_UNALIGNED, at, r);
      state.set(JAVA_FLOAT_UNALIGNED, at + Systems.ROW_BYTES, i);
      out = Math.fma(s.value(from, n, 2), r, out);
      out = Math.fma(-s.value(from, n, 3), i, out);
      next = Math.fma(s.value(from, n, 8), r, next);
      next = Math.fma(-s.value(from, n, 9), i, next);
    }
    y[yAt] = out;
    return next;
  }
}
