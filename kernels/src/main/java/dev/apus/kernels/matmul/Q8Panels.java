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
  private static final int BLOCKS = COLUMNS / BLOCK;

  /** Steps of the blocks within {@link #COLUMNS}: {@code STRIDE} rows each. */
  private static final int STEPS_AT = 0;

  Q8Panels() {
    super(
        PanelLayout.of(
            WeightFormat.Q8_0, new PanelLayout.Units(0, 2, 1), new PanelLayout.Units(2, 1, BLOCK)));
  }

  @Override
  void decode(MemorySegment packed, long nearAt, long farAt, int from, int width, float[] scratch) {
    long at = layout().blockAt(from);
    int blocks = width / BLOCK;
    steps(packed, nearAt + at, farAt + at, blocks, scratch);
    decode(packed, nearAt + at, blocks, scratch, 0);
    if (farAt != nearAt) {
      decode(packed, farAt + at, blocks, scratch, ROWS);
    }
  }

  private static void steps(
      MemorySegment packed, long nearAt, long farAt, int blocks, float[] scratch) {
    Halves.decode(packed, nearAt, blocks, BLOCK_BYTES, scratch, STEPS_AT, STRIDE);
    if (farAt != nearAt) {
      Halves.decode(packed, farAt, blocks, BLOCK_BYTES, scratch, STEPS_AT + ROWS, STRIDE);
    }
  }

  private static void decode(MemorySegment packed, long at, int blocks, float[] scratch, int lane) {
    for (int block = 0; block < blocks; block++) {
      decodeBlock(
          packed,
          at + (long) block * BLOCK_BYTES + 2 * ROWS,
          scratch,
          STEPS_AT + block * STRIDE + lane,
          WEIGHTS_AT + block * BLOCK * STRIDE + lane);
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
    for (int from = 0; from < cols; from += COLUMNS) {
      int blocks = Math.min(BLOCKS, (cols - from) / BLOCK);
      long near = nearAt + layout().blockAt(from);
      long far = farAt + layout().blockAt(from);
      steps(packed, near, far, blocks, scratch);
      for (int row = 0; row < STRIDE; row += Tiles.ROWS) {
        tile(
            packed,
            rowAt(near, far, row),
            rowAt(near, far, row + L),
            rowAt(near, far, row + 2 * L),
            rowAt(near, far, row + 3 * L),
            blocks,
            x,
            xAt + from,
            scratch,
            STEPS_AT + row,
            sumsAt + row);
      }
    }
  }

  private static long rowAt(long near, long far, int row) {
    return (row < ROWS ? near : far) + 2 * ROWS + row % ROWS - part(row) * L;
  }

  /** Four vectors of rows by one token and the columns of some blocks. */
  private static void tile(
      MemorySegment packed,
      long aAt,
      long bAt,
      long cAt,
      long dAt,
      int blocks,
      float[] x,
      int xAt,
      float[] scratch,
      int stepsAt,
      int sumsAt) {
    FloatVector a = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector b = FloatVector.fromArray(F, scratch, sumsAt + L);
    FloatVector c = FloatVector.fromArray(F, scratch, sumsAt + 2 * L);
    FloatVector d = FloatVector.fromArray(F, scratch, sumsAt + 3 * L);
    for (int block = 0; block < blocks; block++) {
      int stepAt = stepsAt + block * STRIDE;
      FloatVector aStep = FloatVector.fromArray(F, scratch, stepAt);
      FloatVector bStep = FloatVector.fromArray(F, scratch, stepAt + L);
      FloatVector cStep = FloatVector.fromArray(F, scratch, stepAt + 2 * L);
      FloatVector dStep = FloatVector.fromArray(F, scratch, stepAt + 3 * L);
      long end = (long) block * BLOCK_BYTES + BLOCK * ROWS;
      for (long at = (long) block * BLOCK_BYTES; at < end; at += ROWS) {
        FloatVector input = FloatVector.broadcast(F, x[xAt++]);
        FloatVector aQ =
            (FloatVector)
                ByteVector.fromMemorySegment(B, packed, aAt + at, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(B2F, F, 0);
        FloatVector bQ =
            (FloatVector)
                ByteVector.fromMemorySegment(B, packed, bAt + at, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(B2F, F, PARTS - 1);
        FloatVector cQ =
            (FloatVector)
                ByteVector.fromMemorySegment(B, packed, cAt + at, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(B2F, F, 0);
        FloatVector dQ =
            (FloatVector)
                ByteVector.fromMemorySegment(B, packed, dAt + at, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(B2F, F, PARTS - 1);
        a = aQ.mul(aStep).fma(input, a);
        b = bQ.mul(bStep).fma(input, b);
        c = cQ.mul(cStep).fma(input, c);
        d = dQ.mul(dStep).fma(input, d);
      }
    }
    a.intoArray(scratch, sumsAt);
    b.intoArray(scratch, sumsAt + L);
    c.intoArray(scratch, sumsAt + 2 * L);
    d.intoArray(scratch, sumsAt + 3 * L);
  }
}
