package dev.apus.kernels.matmul;

import dev.apus.kernels.math.Lanes;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops of {@link VectorMatmul}: four vectors of rows by one, two or six tokens, whose
 * sums stay in registers while the columns pass by.
 *
 * <p>Vectors a, b, c and d hold neighbouring rows; the digit counts tokens. A tile of six that
 * reaches past the last token computes that one twice: the same sums, stored to the same place.
 */
final class Tiles {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int L = F.length();

  /** Rows of a tile. */
  static final int ROWS = 4 * L;

  /** Rows worked on together: those of one panel, or of two where a tile has more than one. */
  static final int STRIDE = Math.max(ROWS, Matmul.PANEL_ROWS);

  /** The most tokens of a tile. */
  static final int SIX = 6;

  /** Whether there are registers for tiles of six tokens. */
  private static final boolean MANY_REGISTERS = L >= 16;

  private Tiles() {}

  /**
   * Extends the sums of every row and token by {@code width} columns.
   *
   * @param scratch weights from {@code weightsAt}, column by column; sums from {@code sumsAt},
   *     token by token; {@code STRIDE} rows each
   */
  static void extend(
      float[] scratch,
      int weightsAt,
      int sumsAt,
      int width,
      float[] x,
      int xAt,
      int xStride,
      int tokens) {
    for (int row = 0; row < STRIDE; row += ROWS) {
      int t = 0;
      while (MANY_REGISTERS && tokens - t >= SIX - 1) {
        six(scratch, weightsAt + row, row, width, sumsAt, x, xAt, xStride, t, tokens - 1);
        t += SIX;
      }
      while (tokens - t >= 2) {
        two(scratch, weightsAt + row, row, width, sumsAt, x, xAt, xStride, t);
        t += 2;
      }
      if (t < tokens) {
        one(scratch, weightsAt + row, row, width, sumsAt + t * STRIDE, x, xAt + t * xStride);
      }
    }
  }

  private static void one(
      float[] scratch, int weightsAt, int row, int width, int sumsAt, float[] x, int at0) {
    int s0 = sumsAt + row;
    FloatVector a0 = FloatVector.fromArray(F, scratch, s0);
    FloatVector b0 = FloatVector.fromArray(F, scratch, s0 + L);
    FloatVector c0 = FloatVector.fromArray(F, scratch, s0 + 2 * L);
    FloatVector d0 = FloatVector.fromArray(F, scratch, s0 + 3 * L);
    for (int k = 0; k < width; k++) {
      int at = weightsAt + k * STRIDE;
      FloatVector a = FloatVector.fromArray(F, scratch, at);
      FloatVector b = FloatVector.fromArray(F, scratch, at + L);
      FloatVector c = FloatVector.fromArray(F, scratch, at + 2 * L);
      FloatVector d = FloatVector.fromArray(F, scratch, at + 3 * L);
      FloatVector x0 = FloatVector.broadcast(F, x[at0 + k]);
      a0 = a.fma(x0, a0);
      b0 = b.fma(x0, b0);
      c0 = c.fma(x0, c0);
      d0 = d.fma(x0, d0);
    }
    a0.intoArray(scratch, s0);
    b0.intoArray(scratch, s0 + L);
    c0.intoArray(scratch, s0 + 2 * L);
    d0.intoArray(scratch, s0 + 3 * L);
  }

  private static void two(
      float[] scratch,
      int weightsAt,
      int row,
      int width,
      int sumsAt,
      float[] x,
      int xAt,
      int xStride,
      int t) {
    int s0 = sumsAt + t * STRIDE + row;
    int at0 = xAt + t * xStride;
    int s1 = sumsAt + (t + 1) * STRIDE + row;
    int at1 = xAt + (t + 1) * xStride;
    FloatVector a0 = FloatVector.fromArray(F, scratch, s0);
    FloatVector b0 = FloatVector.fromArray(F, scratch, s0 + L);
    FloatVector c0 = FloatVector.fromArray(F, scratch, s0 + 2 * L);
    FloatVector d0 = FloatVector.fromArray(F, scratch, s0 + 3 * L);
    FloatVector a1 = FloatVector.fromArray(F, scratch, s1);
    FloatVector b1 = FloatVector.fromArray(F, scratch, s1 + L);
    FloatVector c1 = FloatVector.fromArray(F, scratch, s1 + 2 * L);
    FloatVector d1 = FloatVector.fromArray(F, scratch, s1 + 3 * L);
    for (int k = 0; k < width; k++) {
      int at = weightsAt + k * STRIDE;
      FloatVector a = FloatVector.fromArray(F, scratch, at);
      FloatVector b = FloatVector.fromArray(F, scratch, at + L);
      FloatVector c = FloatVector.fromArray(F, scratch, at + 2 * L);
      FloatVector d = FloatVector.fromArray(F, scratch, at + 3 * L);
      FloatVector x0 = FloatVector.broadcast(F, x[at0 + k]);
      a0 = a.fma(x0, a0);
      b0 = b.fma(x0, b0);
      c0 = c.fma(x0, c0);
      d0 = d.fma(x0, d0);
      FloatVector x1 = FloatVector.broadcast(F, x[at1 + k]);
      a1 = a.fma(x1, a1);
      b1 = b.fma(x1, b1);
      c1 = c.fma(x1, c1);
      d1 = d.fma(x1, d1);
    }
    a0.intoArray(scratch, s0);
    b0.intoArray(scratch, s0 + L);
    c0.intoArray(scratch, s0 + 2 * L);
    d0.intoArray(scratch, s0 + 3 * L);
    a1.intoArray(scratch, s1);
    b1.intoArray(scratch, s1 + L);
    c1.intoArray(scratch, s1 + 2 * L);
    d1.intoArray(scratch, s1 + 3 * L);
  }

  private static void six(
      float[] scratch,
      int weightsAt,
      int row,
      int width,
      int sumsAt,
      float[] x,
      int xAt,
      int xStride,
      int t,
      int last) {
    int t5 = Math.min(t + 5, last);
    int s0 = sumsAt + t * STRIDE + row;
    int at0 = xAt + t * xStride;
    int s1 = sumsAt + (t + 1) * STRIDE + row;
    int at1 = xAt + (t + 1) * xStride;
    int s2 = sumsAt + (t + 2) * STRIDE + row;
    int at2 = xAt + (t + 2) * xStride;
    int s3 = sumsAt + (t + 3) * STRIDE + row;
    int at3 = xAt + (t + 3) * xStride;
    int s4 = sumsAt + (t + 4) * STRIDE + row;
    int at4 = xAt + (t + 4) * xStride;
    int s5 = sumsAt + t5 * STRIDE + row;
    int at5 = xAt + t5 * xStride;
    FloatVector a0 = FloatVector.fromArray(F, scratch, s0);
    FloatVector b0 = FloatVector.fromArray(F, scratch, s0 + L);
    FloatVector c0 = FloatVector.fromArray(F, scratch, s0 + 2 * L);
    FloatVector d0 = FloatVector.fromArray(F, scratch, s0 + 3 * L);
    FloatVector a1 = FloatVector.fromArray(F, scratch, s1);
    FloatVector b1 = FloatVector.fromArray(F, scratch, s1 + L);
    FloatVector c1 = FloatVector.fromArray(F, scratch, s1 + 2 * L);
    FloatVector d1 = FloatVector.fromArray(F, scratch, s1 + 3 * L);
    FloatVector a2 = FloatVector.fromArray(F, scratch, s2);
    FloatVector b2 = FloatVector.fromArray(F, scratch, s2 + L);
    FloatVector c2 = FloatVector.fromArray(F, scratch, s2 + 2 * L);
    FloatVector d2 = FloatVector.fromArray(F, scratch, s2 + 3 * L);
    FloatVector a3 = FloatVector.fromArray(F, scratch, s3);
    FloatVector b3 = FloatVector.fromArray(F, scratch, s3 + L);
    FloatVector c3 = FloatVector.fromArray(F, scratch, s3 + 2 * L);
    FloatVector d3 = FloatVector.fromArray(F, scratch, s3 + 3 * L);
    FloatVector a4 = FloatVector.fromArray(F, scratch, s4);
    FloatVector b4 = FloatVector.fromArray(F, scratch, s4 + L);
    FloatVector c4 = FloatVector.fromArray(F, scratch, s4 + 2 * L);
    FloatVector d4 = FloatVector.fromArray(F, scratch, s4 + 3 * L);
    FloatVector a5 = FloatVector.fromArray(F, scratch, s5);
    FloatVector b5 = FloatVector.fromArray(F, scratch, s5 + L);
    FloatVector c5 = FloatVector.fromArray(F, scratch, s5 + 2 * L);
    FloatVector d5 = FloatVector.fromArray(F, scratch, s5 + 3 * L);
    for (int k = 0; k < width; k++) {
      int at = weightsAt + k * STRIDE;
      FloatVector a = FloatVector.fromArray(F, scratch, at);
      FloatVector b = FloatVector.fromArray(F, scratch, at + L);
      FloatVector c = FloatVector.fromArray(F, scratch, at + 2 * L);
      FloatVector d = FloatVector.fromArray(F, scratch, at + 3 * L);
      FloatVector x0 = FloatVector.broadcast(F, x[at0 + k]);
      a0 = a.fma(x0, a0);
      b0 = b.fma(x0, b0);
      c0 = c.fma(x0, c0);
      d0 = d.fma(x0, d0);
      FloatVector x1 = FloatVector.broadcast(F, x[at1 + k]);
      a1 = a.fma(x1, a1);
      b1 = b.fma(x1, b1);
      c1 = c.fma(x1, c1);
      d1 = d.fma(x1, d1);
      FloatVector x2 = FloatVector.broadcast(F, x[at2 + k]);
      a2 = a.fma(x2, a2);
      b2 = b.fma(x2, b2);
      c2 = c.fma(x2, c2);
      d2 = d.fma(x2, d2);
      FloatVector x3 = FloatVector.broadcast(F, x[at3 + k]);
      a3 = a.fma(x3, a3);
      b3 = b.fma(x3, b3);
      c3 = c.fma(x3, c3);
      d3 = d.fma(x3, d3);
      FloatVector x4 = FloatVector.broadcast(F, x[at4 + k]);
      a4 = a.fma(x4, a4);
      b4 = b.fma(x4, b4);
      c4 = c.fma(x4, c4);
      d4 = d.fma(x4, d4);
      FloatVector x5 = FloatVector.broadcast(F, x[at5 + k]);
      a5 = a.fma(x5, a5);
      b5 = b.fma(x5, b5);
      c5 = c.fma(x5, c5);
      d5 = d.fma(x5, d5);
    }
    a0.intoArray(scratch, s0);
    b0.intoArray(scratch, s0 + L);
    c0.intoArray(scratch, s0 + 2 * L);
    d0.intoArray(scratch, s0 + 3 * L);
    a1.intoArray(scratch, s1);
    b1.intoArray(scratch, s1 + L);
    c1.intoArray(scratch, s1 + 2 * L);
    d1.intoArray(scratch, s1 + 3 * L);
    a2.intoArray(scratch, s2);
    b2.intoArray(scratch, s2 + L);
    c2.intoArray(scratch, s2 + 2 * L);
    d2.intoArray(scratch, s2 + 3 * L);
    a3.intoArray(scratch, s3);
    b3.intoArray(scratch, s3 + L);
    c3.intoArray(scratch, s3 + 2 * L);
    d3.intoArray(scratch, s3 + 3 * L);
    a4.intoArray(scratch, s4);
    b4.intoArray(scratch, s4 + L);
    c4.intoArray(scratch, s4 + 2 * L);
    d4.intoArray(scratch, s4 + 3 * L);
    a5.intoArray(scratch, s5);
    b5.intoArray(scratch, s5 + L);
    c5.intoArray(scratch, s5 + 2 * L);
    d5.intoArray(scratch, s5 + 3 * L);
  }
}
