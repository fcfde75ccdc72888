package dev.apus.kernels.rope;

import static dev.apus.kernels.rope.Sines.*;

/** The definition of {@link Rotary}. */
public final class ScalarRotary implements Rotary {

  public ScalarRotary() {}

  @Override
  public void rotate(
      Layout layout,
      float[] x,
      int xAt,
      int heads,
      int headDim,
      int dims,
      float[] cos,
      float[] sin,
      int tableAt) {
    for (int at = xAt; at < xAt + heads * headDim; at += headDim) {
      rotatePairs(layout, x, at, 0, dims / 2, cos, sin, tableAt);
    }
  }

  @Override
  public void turn(
      float step,
      float[] rate,
      int rateAt,
      float[] angle,
      int angleAt,
      int count,
      float[] cos,
      float[] sin,
      int tableAt) {
    for (int i = 0; i < count; i++) {
      float a = Math.fma(step, rate[rateAt + i], angle[angleAt + i]);
      float n = Math.fma(a, TURNS, ROUNDER) - ROUNDER;
      a = Math.fma(n, -TURN_REST, Math.fma(n, -TURN, a));
      angle[angleAt + i] = a;
      float shifted = Math.fma(a, QUARTERS, ROUNDER);
      float m = shifted - ROUNDER;
      float r = Math.fma(m, -QUARTER_REST, Math.fma(m, -QUARTER, a));
      float z = r * r;
      float s = Math.fma(r * z, Math.fma(Math.fma(SIN_2, z, SIN_1), z, SIN_0), r);
      float c = Math.fma(Math.fma(COS_2, z, COS_1), z, COS_0);
      c = Math.fma(z * z, c, Math.fma(z, -0.5f, 1));
      int quarters = Float.floatToRawIntBits(shifted);
      boolean odd = (quarters & 1) != 0;
      float sine = odd ? c : s;
      float cosine = odd ? s : c;
      sin[tableAt + i] = (quarters & 2) != 0 ? -sine : sine;
      cos[tableAt + i] = (quarters + 1 & 2) != 0 ? -cosine : cosine;
    }
  }

  /** Rotates pairs {@code [from, pairs)} of the head at {@code at}. */
  static void rotatePairs(
      Layout layout,
      float[] x,
      int at,
      int from,
      int pairs,
      float[] cos,
      float[] sin,
      int tableAt) {
    int step = layout == Layout.HALVES ? 1 : 2;
    int partner = layout == Layout.HALVES ? pairs : 1;
    for (int i = from; i < pairs; i++) {
      float c = cos[tableAt + i];
      float s = sin[tableAt + i];
      float a = x[at + i * step];
      float b = x[at + i * step + partner];
      x[at + i * step] = a * c - b * s;
      x[at + i * step + partner] = b * c + a * s;
    }
  }
}
