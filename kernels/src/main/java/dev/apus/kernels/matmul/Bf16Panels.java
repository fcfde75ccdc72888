package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/** Panels of {@link WeightFormat#BF16}: a column is 32 upper halves of floats. */
final class Bf16Panels extends StreamedPanels {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final VectorSpecies<Short> S = Lanes.I16;
  private static final int L = F.length();
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int STRIDE = Tiles.STRIDE;
  private static final int COLUMN_BYTES = 2 * ROWS;

  Bf16Panels() {
    super(WeightFormat.BF16, FEW);
  }

  @Override
  void panel(MemorySegment packed, long at, int width, float[] scratch, int weightsAt) {
    for (int k = 0; k < width; k++) {
      for (int row = 0; row < ROWS; row += L) {
        long rowAt = at + 2L * (k * ROWS + row);
        ShortVector.fromMemorySegment(S, packed, rowAt, ByteOrder.LITTLE_ENDIAN)
            .convertShape(S2I, I, 0)
            .lanewise(LSHL, 16)
            .reinterpretAsFloats()
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
      a0 =
          ShortVector.fromMemorySegment(S, packed, a + at, ByteOrder.LITTLE_ENDIAN)
              .convertShape(S2I, I, 0)
              .lanewise(LSHL, 16)
              .reinterpretAsFloats()
              .fma(x0, a0);
      b0 =
          ShortVector.fromMemorySegment(S, packed, b + at, ByteOrder.LITTLE_ENDIAN)
              .convertShape(S2I, I, 0)
              .lanewise(LSHL, 16)
              .reinterpretAsFloats()
              .fma(x0, b0);
      c0 =
          ShortVector.fromMemorySegment(S, packed, c + at, ByteOrder.LITTLE_ENDIAN)
              .convertShape(S2I, I, 0)
              .lanewise(LSHL, 16)
              .reinterpretAsFloats()
              .fma(x0, c0);
      d0 =
          ShortVector.fromMemorySegment(S, packed, d + at, ByteOrder.LITTLE_ENDIAN)
              .convertShape(S2I, I, 0)
              .lanewise(LSHL, 16)
              .reinterpretAsFloats()
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
      FloatVector a =
          ShortVector.fromMemorySegment(S, packed, at, ByteOrder.LITTLE_ENDIAN)
              .convertShape(S2I, I, 0)
              .lanewise(LSHL, 16)
              .reinterpretAsFloats();
      FloatVector b =
          ShortVector.fromMemorySegment(S, packed, at + 2L * L, ByteOrder.LITTLE_ENDIAN)
              .convertShape(S2I, I, 0)
              .lanewise(LSHL, 16)
              .reinterpretAsFloats();
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
