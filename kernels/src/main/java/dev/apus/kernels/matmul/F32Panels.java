package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Panels of {@link WeightFormat#F32}: a column is 32 floats. */
final class F32Panels extends StreamedPanels {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int L = F.length();
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int STRIDE = Tiles.STRIDE;
  private static final int COLUMN_BYTES = 4 * ROWS;

  /**
   * Nothing is to be decoded, so it is many: four at a time, from columns that stay in the cache.
   */
  private static final int STRAIGHT = 32;

  F32Panels() {
    super(WeightFormat.F32, STRAIGHT);
  }

  @Override
  void panel(MemorySegment packed, long at, int width, float[] scratch, int weightsAt) {
    for (int k = 0; k < width; k++) {
      for (int row = 0; row < ROWS; row += L) {
        long rowAt = at + 4L * (k * ROWS + row);
        FloatVector.fromMemorySegment(F, packed, rowAt, ByteOrder.LITTLE_ENDIAN)
            .intoArray(scratch, weightsAt + k * STRIDE + row);
      }
    }
  }

  @Override
  void tile(
      MemorySegment packed,
      long a,
      long b,
      long c,
      long d,
      int cols,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt) {
    FloatVector a0 = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector b0 = FloatVector.fromArray(F, scratch, sumsAt + L);
    FloatVector c0 = FloatVector.fromArray(F, scratch, sumsAt + 2 * L);
    FloatVector d0 = FloatVector.fromArray(F, scratch, sumsAt + 3 * L);
    long end = (long) cols * COLUMN_BYTES;
    for (long at = 0; at < end; at += COLUMN_BYTES) {
      FloatVector x0 = FloatVector.broadcast(F, x[xAt++]);
      a0 = FloatVector.fromMemorySegment(F, packed, a + at, ByteOrder.LITTLE_ENDIAN).fma(x0, a0);
      b0 = FloatVector.fromMemorySegment(F, packed, b + at, ByteOrder.LITTLE_ENDIAN).fma(x0, b0);
      c0 = FloatVector.fromMemorySegment(F, packed, c + at, ByteOrder.LITTLE_ENDIAN).fma(x0, c0);
      d0 = FloatVector.fromMemorySegment(F, packed, d + at, ByteOrder.LITTLE_ENDIAN).fma(x0, d0);
    }
    a0.intoArray(scratch, sumsAt);
    b0.intoArray(scratch, sumsAt + L);
    c0.intoArray(scratch, sumsAt + 2 * L);
    d0.intoArray(scratch, sumsAt + 3 * L);
  }

  @Override
  void four(
      MemorySegment packed,
      long rowAt,
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
    FloatVector a0 = FloatVector.fromArray(F, scratch, s0);
    FloatVector b0 = FloatVector.fromArray(F, scratch, s0 + L);
    FloatVector a1 = FloatVector.fromArray(F, scratch, s1);
    FloatVector b1 = FloatVector.fromArray(F, scratch, s1 + L);
    FloatVector a2 = FloatVector.fromArray(F, scratch, s2);
    FloatVector b2 = FloatVector.fromArray(F, scratch, s2 + L);
    FloatVector a3 = FloatVector.fromArray(F, scratch, s3);
    FloatVector b3 = FloatVector.fromArray(F, scratch, s3 + L);
    long end = rowAt + (long) width * COLUMN_BYTES;
    for (long at = rowAt; at < end; at += COLUMN_BYTES) {
      FloatVector a = FloatVector.fromMemorySegment(F, packed, at, ByteOrder.LITTLE_ENDIAN);
      FloatVector b =
          FloatVector.fromMemorySegment(F, packed, at + 4L * L, ByteOrder.LITTLE_ENDIAN);
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
