package dev.apus.kernels.scan;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * A vector of channels taken through all tokens: systems that are not coupled with four states in
 * registers at a time, or one; coupled systems token by token, because a token needs all states of
 * the one before.
 */
final class SystemTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long ROW = Systems.ROW_BYTES;

  private SystemTiles() {}

  /** Adds four states, the first with coefficients at {@code at} and memory at {@code h}. */
  static void four(
      MemorySegment values,
      long at,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long h,
      float[] y,
      int yAt,
      int yStride) {
    FloatVector lr0 = FloatVector.fromMemorySegment(LANES, values, at, ORDER);
    FloatVector li0 = FloatVector.fromMemorySegment(LANES, values, at + ROW, ORDER);
    FloatVector cr0 = FloatVector.fromMemorySegment(LANES, values, at + 2 * ROW, ORDER);
    FloatVector ci0 = FloatVector.fromMemorySegment(LANES, values, at + 3 * ROW, ORDER);
    FloatVector lr1 = FloatVector.fromMemorySegment(LANES, values, at + 4 * ROW, ORDER);
    FloatVector li1 = FloatVector.fromMemorySegment(LANES, values, at + 5 * ROW, ORDER);
    FloatVector cr1 = FloatVector.fromMemorySegment(LANES, values, at + 6 * ROW, ORDER);
    FloatVector ci1 = FloatVector.fromMemorySegment(LANES, values, at + 7 * ROW, ORDER);
    FloatVector lr2 = FloatVector.fromMemorySegment(LANES, values, at + 8 * ROW, ORDER);
    FloatVector li2 = FloatVector.fromMemorySegment(LANES, values, at + 9 * ROW, ORDER);
    FloatVector cr2 = FloatVector.fromMemorySegment(LANES, values, at + 10 * ROW, ORDER);
    FloatVector ci2 = FloatVector.fromMemorySegment(LANES, values, at + 11 * ROW, ORDER);
    FloatVector lr3 = FloatVector.fromMemorySegment(LANES, values, at + 12 * ROW, ORDER);
    FloatVector li3 = FloatVector.fromMemorySegment(LANES, values, at + 13 * ROW, ORDER);
    FloatVector cr3 = FloatVector.fromMemorySegment(LANES, values, at + 14 * ROW, ORDER);
    FloatVector ci3 = FloatVector.fromMemorySegment(LANES, values, at + 15 * ROW, ORDER);
    FloatVector ml0 = li0.neg();
    ci0 = ci0.neg();
    FloatVector ml1 = li1.neg();
    ci1 = ci1.neg();
    FloatVector ml2 = li2.neg();
    ci2 = ci2.neg();
    FloatVector ml3 = li3.neg();
    ci3 = ci3.neg();
    FloatVector hr0 = FloatVector.fromMemorySegment(LANES, state, h, ORDER);
    FloatVector hi0 = FloatVector.fromMemorySegment(LANES, state, h + ROW, ORDER);
    FloatVector hr1 = FloatVector.fromMemorySegment(LANES, state, h + 2 * ROW, ORDER);
    FloatVector hi1 = FloatVector.fromMemorySegment(LANES, state, h + 3 * ROW, ORDER);
    FloatVector hr2 = FloatVector.fromMemorySegment(LANES, state, h + 4 * ROW, ORDER);
    FloatVector hi2 = FloatVector.fromMemorySegment(LANES, state, h + 5 * ROW, ORDER);
    FloatVector hr3 = FloatVector.fromMemorySegment(LANES, state, h + 6 * ROW, ORDER);
    FloatVector hi3 = FloatVector.fromMemorySegment(LANES, state, h + 7 * ROW, ORDER);
    for (int t = 0; t < tokens; t++) {
      FloatVector in = FloatVector.fromArray(LANES, x, xAt + t * xStride);
      FloatVector out = FloatVector.fromArray(LANES, y, yAt + t * yStride);
      FloatVector r0 = lr0.fma(hr0, ml0.fma(hi0, in));
      hi0 = lr0.fma(hi0, li0.mul(hr0));
      hr0 = r0;
      out = ci0.fma(hi0, cr0.fma(hr0, out));
      FloatVector r1 = lr1.fma(hr1, ml1.fma(hi1, in));
      hi1 = lr1.fma(hi1, li1.mul(hr1));
      hr1 = r1;
      out = ci1.fma(hi1, cr1.fma(hr1, out));
      FloatVector r2 = lr2.fma(hr2, ml2.fma(hi2, in));
      hi2 = lr2.fma(hi2, li2.mul(hr2));
      hr2 = r2;
      out = ci2.fma(hi2, cr2.fma(hr2, out));
      FloatVector r3 = lr3.fma(hr3, ml3.fma(hi3, in));
      hi3 = lr3.fma(hi3, li3.mul(hr3));
      hr3 = r3;
      out = ci3.fma(hi3, cr3.fma(hr3, out));
      out.intoArray(y, yAt + t * yStride);
    }
    hr0.intoMemorySegment(state, h, ORDER);
    hi0.intoMemorySegment(state, h + ROW, ORDER);
    hr1.intoMemorySegment(state, h + 2 * ROW, ORDER);
    hi1.intoMemorySegment(state, h + 3 * ROW, ORDER);
    hr2.intoMemorySegment(state, h + 4 * ROW, ORDER);
    hi2.intoMemorySegment(state, h + 5 * ROW, ORDER);
    hr3.intoMemorySegment(state, h + 6 * ROW, ORDER);
    hi3.intoMemorySegment(state, h + 7 * ROW, ORDER);
  }

  /** Adds one state. */
  static void one(
      MemorySegment values,
      long at,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long h,
      float[] y,
      int yAt,
      int yStride) {
    FloatVector lr0 = FloatVector.fromMemorySegment(LANES, values, at, ORDER);
    FloatVector li0 = FloatVector.fromMemorySegment(LANES, values, at + ROW, ORDER);
    FloatVector cr0 = FloatVector.fromMemorySegment(LANES, values, at + 2 * ROW, ORDER);
    FloatVector ci0 = FloatVector.fromMemorySegment(LANES, values, at + 3 * ROW, ORDER);
    FloatVector ml0 = li0.neg();
    ci0 = ci0.neg();
    FloatVector hr0 = FloatVector.fromMemorySegment(LANES, state, h, ORDER);
    FloatVector hi0 = FloatVector.fromMemorySegment(LANES, state, h + ROW, ORDER);
    for (int t = 0; t < tokens; t++) {
      FloatVector in = FloatVector.fromArray(LANES, x, xAt + t * xStride);
      FloatVector out = FloatVector.fromArray(LANES, y, yAt + t * yStride);
      FloatVector r0 = lr0.fma(hr0, ml0.fma(hi0, in));
      hi0 = lr0.fma(hi0, li0.mul(hr0));
      hr0 = r0;
      out = ci0.fma(hi0, cr0.fma(hr0, out));
      out.intoArray(y, yAt + t * yStride);
    }
    hr0.intoMemorySegment(state, h, ORDER);
    hi0.intoMemorySegment(state, h + ROW, ORDER);
  }

  /** Takes coupled systems through all tokens. */
  static void coupled(
      MemorySegment values,
      long valuesAt,
      int states,
      float[] skip,
      int c,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long stateAt,
      float[] y,
      int yAt,
      int yStride) {
    FloatVector f = FloatVector.zero(LANES);
    long at = valuesAt;
    long h = stateAt;
    for (int n = 0; n < states; n++, at += 10 * ROW, h += 2 * ROW) {
      FloatVector hr = FloatVector.fromMemorySegment(LANES, state, h, ORDER);
      FloatVector hi = FloatVector.fromMemorySegment(LANES, state, h + ROW, ORDER);
      f = FloatVector.fromMemorySegment(LANES, values, at + 8 * ROW, ORDER).fma(hr, f);
      f = FloatVector.fromMemorySegment(LANES, values, at + 9 * ROW, ORDER).fma(hi.neg(), f);
    }
    for (int t = 0; t < tokens; t++) {
      FloatVector in = FloatVector.fromArray(LANES, x, xAt + t * xStride);
      FloatVector out = FloatVector.fromArray(LANES, skip, c).mul(in);
      FloatVector next = FloatVector.zero(LANES);
      at = valuesAt;
      h = stateAt;
      for (int n = 0; n < states; n++, at += 10 * ROW, h += 2 * ROW) {
        FloatVector hr = FloatVector.fromMemorySegment(LANES, state, h, ORDER);
        FloatVector hi = FloatVector.fromMemorySegment(LANES, state, h + ROW, ORDER);
        FloatVector ur = FloatVector.fromMemorySegment(LANES, values, at + 6 * ROW, ORDER).mul(f);
        ur = FloatVector.fromMemorySegment(LANES, values, at + 4 * ROW, ORDER).fma(in, ur);
        FloatVector ui = FloatVector.fromMemorySegment(LANES, values, at + 7 * ROW, ORDER).mul(f);
        ui = FloatVector.fromMemorySegment(LANES, values, at + 5 * ROW, ORDER).fma(in, ui);
        FloatVector lr = FloatVector.fromMemorySegment(LANES, values, at, ORDER);
        FloatVector li = FloatVector.fromMemorySegment(LANES, values, at + ROW, ORDER);
        FloatVector r = lr.fma(hr, li.fma(hi.neg(), ur));
        FloatVector i = lr.fma(hi, li.fma(hr, ui));
        r.intoMemorySegment(state, h, ORDER);
        i.intoMemorySegment(state, h + ROW, ORDER);
        FloatVector minus = i.neg();
        out = FloatVector.fromMemorySegment(LANES, values, at + 2 * ROW, ORDER).fma(r, out);
        out = FloatVector.fromMemorySegment(LANES, values, at + 3 * ROW, ORDER).fma(minus, out);
        next = FloatVector.fromMemorySegment(LANES, values, at + 8 * ROW, ORDER).fma(r, next);
        next = FloatVector.fromMemorySegment(LANES, values, at + 9 * ROW, ORDER).fma(minus, next);
      }
      out.intoArray(y, yAt + t * yStride);
      f = next;
    }
  }
}
