package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.B2F;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#Q8_0}: 32 scales, then 32 columns of a byte for each row.
 *
 * <p>A line of memory is read in several loads. Processors that fetch the next line when they see a
 * line used more than once then run ahead of the arithmetic; with one wide load for each line they
 * do not.
 */
final class Q8Panels extends PanelDecoder {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Byte> B = Lanes.BYTES;
  private static final int L = F.length();
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int STRIDE = Tiles.STRIDE;
  private static final int BLOCK = WeightFormat.Q8_0.blockLength();

  /** Vectors of rows that one load of bytes fills. */
  private static final int PARTS = B.length() / L;

  private static final int BLOCK_BYTES = 34 * ROWS;
  private static final int BYTES_AT = 2 * ROWS;

  /** Steps of a block: {@code STRIDE} rows. */
  private static final int STEPS_AT = 0;

  Q8Panels() {
    super(
        PanelLayout.of(
            WeightFormat.Q8_0, new PanelLayout.Units(0, 2, 1), new PanelLayout.Units(2, 1, BLOCK)));
  }

  @Override
  void decode(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int from,
      int width,
      float[] scratch,
      int weightsAt) {
    for (int k = 0; k < width; k += BLOCK) {
      long at = layout().blockAt(from + k);
      steps(packed, nearAt + at, farAt + at, scratch);
      int to = weightsAt + k * STRIDE;
      decodeBlock(packed, nearAt + at + BYTES_AT, scratch, STEPS_AT, to);
      if (farAt != nearAt) {
        decodeBlock(packed, farAt + at + BYTES_AT, scratch, STEPS_AT + ROWS, to + ROWS);
      }
    }
  }

  private static void steps(MemorySegment packed, long near, long far, float[] scratch) {
    Halves.decode(packed, near, scratch, STEPS_AT);
    if (STRIDE > ROWS) {
      Halves.decode(packed, far, scratch, STEPS_AT + ROWS);
    }
  }

  private static void decodeBlock(
      MemorySegment packed, long at, float[] scratch, int stepsAt, int weightsAt) {
    for (int row = 0; row < ROWS; row += L) {
      FloatVector step = FloatVector.fromArray(F, scratch, stepsAt + row);
      int part = part(row);
      for (int k = 0; k < BLOCK; k++) {
        long byteAt = at + k * ROWS + row - part * L;
        ((FloatVector)
                ByteVector.fromMemorySegment(B, packed, byteAt, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(B2F, F, part))
            .mul(step)
            .intoArray(scratch, weightsAt + k * STRIDE + row);
      }
    }
  }

  /** Which of the vectors that a load fills these rows are. */
  private static int part(int row) {
    return row / L % PARTS;
  }

  @Override
  void extend(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int cols,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt) {
    for (int row = 0; row < STRIDE; row += Tiles.ROWS) {
      tile(packed, nearAt, farAt, row, cols, x, xAt, scratch, sumsAt + row);
    }
  }

  private static long rowAt(long near, long far, int row) {
    return (row < ROWS ? near : far) + BYTES_AT + row % ROWS - part(row) * L;
  }

  /** Four vectors of rows by one token. */
  private static void tile(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int row,
      int cols,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt) {
    long aAt = rowAt(nearAt, farAt, row);
    long bAt = rowAt(nearAt, farAt, row + L);
    long cAt = rowAt(nearAt, farAt, row + 2 * L);
    long dAt = rowAt(nearAt, farAt, row + 3 * L);
    FloatVector a = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector b = FloatVector.fromArray(F, scratch, sumsAt + L);
    FloatVector c = FloatVector.fromArray(F, scratch, sumsAt + 2 * L);
    FloatVector d = FloatVector.fromArray(F, scratch, sumsAt + 3 * L);
    long panel = (long) cols / BLOCK * BLOCK_BYTES;
    for (long block = 0; block < panel; block += BLOCK_BYTES) {
      steps(packed, nearAt + block, farAt + block, scratch);
      FloatVector aStep = FloatVector.fromArray(F, scratch, STEPS_AT + row);
      FloatVector bStep = FloatVector.fromArray(F, scratch, STEPS_AT + row + L);
      FloatVector cStep = FloatVector.fromArray(F, scratch, STEPS_AT + row + 2 * L);
      FloatVector dStep = FloatVector.fromArray(F, scratch, STEPS_AT + row + 3 * L);
      long end = block + BLOCK * ROWS;
      for (long at = block; at < end; at += ROWS) {
        FloatVector input = FloatVector.broadcast(F, x[xAt++]);
        FloatVector q =
            (FloatVector)
                ByteVector.fromMemorySegment(B, packed, aAt + at, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(B2F, F, 0);
        a = q.mul(aStep).fma(input, a);
        q =
            (FloatVector)
                ByteVector.fromMemorySegment(B, packed, bAt + at, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(B2F, F, PARTS - 1);
        b = q.mul(bStep).fma(input, b);
        q =
            (FloatVector)
                ByteVector.fromMemorySegment(B, packed, cAt + at, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(B2F, F, 0);
        c = q.mul(cStep).fma(input, c);
        q =
            (FloatVector)
                ByteVector.fromMemorySegment(B, packed, dAt + at, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(B2F, F, PARTS - 1);
        d = q.mul(dStep).fma(input, d);
      }
    }
    a.intoArray(scratch, sumsAt);
    b.intoArray(scratch, sumsAt + L);
    c.intoArray(scratch, sumsAt + 2 * L);
    d.intoArray(scratch, sumsAt + 3 * L);
  }
}
