package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.AND;
import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link AffinePanels} of nibbles: the lower ones are the first half of the rows. */
final class AffineNibbles extends AffinePanels {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final VectorSpecies<Byte> B = Lanes.BYTES;
  private static final int L = F.length();
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int STRIDE = Tiles.STRIDE;
  private static final int HALF = ROWS / 2;
  private static final int COLUMN = HEAD + ROWS / 2;

  AffineNibbles() {
    super(COLUMN);
  }

  /** Where the load begins that fills a vector of rows. */
  private static int byteAt(int row) {
    return HEAD + row % HALF - part(row) * L;
  }

  /** How far up in its byte a row's nibble lies. */
  private static int shift(int row) {
    return row / HALF * 4;
  }

  @Override
  void panel(MemorySegment packed, long at, int width, float[] scratch, int weightsAt) {
    for (int row = 0; row < ROWS; row += L) {
      int part = part(row);
      int shift = shift(row);
      long rowAt = at + byteAt(row);
      for (int k = 0; k < width; k++) {
        int head = packed.get(INT, at + (long) k * COLUMN);
        ((FloatVector)
                ByteVector.fromMemorySegment(
                        B, packed, rowAt + (long) k * COLUMN, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(B2I, I, part)
                    .lanewise(LSHR, shift)
                    .lanewise(AND, 0xf)
                    .convertShape(I2F, F, 0))
            .fma(FloatVector.broadcast(F, step(head)), FloatVector.broadcast(F, base(head)))
            .intoArray(scratch, weightsAt + k * STRIDE + row);
      }
    }
  }

  @Override
  void tile(
      MemorySegment packed,
      long near,
      long far,
      int row,
      int cols,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt) {
    long a = near + byteAt(row);
    long b = near + byteAt(row + L);
    long c = far + byteAt((row + 2 * L) % ROWS);
    long d = far + byteAt((row + 3 * L) % ROWS);
    int aShift = shift(row);
    int bShift = shift(row + L);
    int cShift = shift((row + 2 * L) % ROWS);
    int dShift = shift((row + 3 * L) % ROWS);
    FloatVector a0 = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector b0 = FloatVector.fromArray(F, scratch, sumsAt + L);
    FloatVector c0 = FloatVector.fromArray(F, scratch, sumsAt + 2 * L);
    FloatVector d0 = FloatVector.fromArray(F, scratch, sumsAt + 3 * L);
    long end = (long) cols * COLUMN;
    for (long at = 0; at < end; at += COLUMN) {
      FloatVector x0 = FloatVector.broadcast(F, x[xAt++]);
      int head = packed.get(INT, near + at);
      FloatVector step = FloatVector.broadcast(F, step(head));
      FloatVector base = FloatVector.broadcast(F, base(head));
      a0 =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B, packed, a + at, ByteOrder.LITTLE_ENDIAN)
                      .convertShape(B2I, I, 0)
                      .lanewise(LSHR, aShift)
                      .lanewise(AND, 0xf)
                      .convertShape(I2F, F, 0))
              .fma(step, base)
              .fma(x0, a0);
      b0 =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B, packed, b + at, ByteOrder.LITTLE_ENDIAN)
                      .convertShape(B2I, I, PARTS - 1)
                      .lanewise(LSHR, bShift)
                      .lanewise(AND, 0xf)
                      .convertShape(I2F, F, 0))
              .fma(step, base)
              .fma(x0, b0);
      if (WIDE) {
        head = packed.get(INT, far + at);
        step = FloatVector.broadcast(F, step(head));
        base = FloatVector.broadcast(F, base(head));
      }
      c0 =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B, packed, c + at, ByteOrder.LITTLE_ENDIAN)
                      .convertShape(B2I, I, 0)
                      .lanewise(LSHR, cShift)
                      .lanewise(AND, 0xf)
                      .convertShape(I2F, F, 0))
              .fma(step, base)
              .fma(x0, c0);
      d0 =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B, packed, d + at, ByteOrder.LITTLE_ENDIAN)
                      .convertShape(B2I, I, PARTS - 1)
                      .lanewise(LSHR, dShift)
                      .lanewise(AND, 0xf)
                      .convertShape(I2F, F, 0))
              .fma(step, base)
              .fma(x0, d0);
    }
    a0.intoArray(scratch, sumsAt);
    b0.intoArray(scratch, sumsAt + L);
    c0.intoArray(scratch, sumsAt + 2 * L);
    d0.intoArray(scratch, sumsAt + 3 * L);
  }

  @Override
  void four(
      MemorySegment packed,
      long panelAt,
      int row,
      int width,
      float[] x,
      int x0,
      int x1,
      int x2,
      int x3,
      float[] scratch,
      int s0,
      int s1,
      int s2,
      int s3) {
    long aAt = byteAt(row);
    long bAt = byteAt(row + L);
    int aShift = shift(row);
    int bShift = shift(row + L);
    FloatVector a0 = FloatVector.fromArray(F, scratch, s0);
    FloatVector b0 = FloatVector.fromArray(F, scratch, s0 + L);
    FloatVector a1 = FloatVector.fromArray(F, scratch, s1);
    FloatVector b1 = FloatVector.fromArray(F, scratch, s1 + L);
    FloatVector a2 = FloatVector.fromArray(F, scratch, s2);
    FloatVector b2 = FloatVector.fromArray(F, scratch, s2 + L);
    FloatVector a3 = FloatVector.fromArray(F, scratch, s3);
    FloatVector b3 = FloatVector.fromArray(F, scratch, s3 + L);
    long end = panelAt + (long) width * COLUMN;
    for (long at = panelAt; at < end; at += COLUMN) {
      int head = packed.get(INT, at);
      FloatVector step = FloatVector.broadcast(F, step(head));
      FloatVector base = FloatVector.broadcast(F, base(head));
      FloatVector a =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B, packed, at + aAt, ByteOrder.LITTLE_ENDIAN)
                      .convertShape(B2I, I, 0)
                      .lanewise(LSHR, aShift)
                      .lanewise(AND, 0xf)
                      .convertShape(I2F, F, 0))
              .fma(step, base);
      FloatVector b =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B, packed, at + bAt, ByteOrder.LITTLE_ENDIAN)
                      .convertShape(B2I, I, PARTS - 1)
                      .lanewise(LSHR, bShift)
                      .lanewise(AND, 0xf)
                      .convertShape(I2F, F, 0))
              .fma(step, base);
      FloatVector x0k = FloatVector.broadcast(F, x[x0++]);
      a0 = a.fma(x0k, a0);
      b0 = b.fma(x0k, b0);
      FloatVector x1k = FloatVector.broadcast(F, x[x1++]);
      a1 = a.fma(x1k, a1);
      b1 = b.fma(x1k, b1);
      FloatVector x2k = FloatVector.broadcast(F, x[x2++]);
      a2 = a.fma(x2k, a2);
      b2 = b.fma(x2k, b2);
      FloatVector x3k = FloatVector.broadcast(F, x[x3++]);
      a3 = a.fma(x3k, a3);
      b3 = b.fma(x3k, b3);
    }
    a0.intoArray(scratch, s0);
    b0.intoArray(scratch, s0 + L);
    a1.intoArray(scratch, s1);
    b1.intoArray(scratch, s1 + L);
    a2.intoArray(scratch, s2);
    b2.intoArray(scratch, s2 + L);
    a3.intoArray(scratch, s3);
    b3.intoArray(scratch, s3 + L);
  }
}
