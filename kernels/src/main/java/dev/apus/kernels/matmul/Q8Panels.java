package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#Q8_0}: 32 scales, then four columns of a row in each word, as bytes
 * above the smallest one. So a weight is {@code step · q + low} with a q that is not negative, and
 * is converted where it lies in the word; its step makes up for the power of two.
 */
final class Q8Panels extends PanelDecoder {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int L = F.length();
  private static final int STRIDE = Tiles.STRIDE;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int BLOCK = WeightFormat.Q8_0.blockLength();
  private static final int SCALE_BYTES = 2;
  private static final int BLOCK_BYTES = (SCALE_BYTES + BLOCK) * ROWS;
  private static final int WORDS_AT = SCALE_BYTES * ROWS;

  /** Columns of a row in a word. */
  private static final int WORD_COLUMNS = 4;

  private static final int WORDS = BLOCK / WORD_COLUMNS;
  private static final int WORD_BYTES = WORD_COLUMNS * ROWS;

  /** The byte that stands for zero. */
  private static final int ZERO_Q = 128;

  /** The upper bits of eight bytes. */
  private static final long SIGNS = 0x8080808080808080L;

  /** Steps and lows of a block: {@code STRIDE} rows each. */
  private static final int STEPS_AT = 0;

  private static final int LOWS_AT = STRIDE;

  Q8Panels() {
    super(
        PanelLayout.of(
            WeightFormat.Q8_0,
            Q8Panels::exchange,
            new PanelLayout.Units(0, SCALE_BYTES, 1),
            new PanelLayout.Units(SCALE_BYTES, 4, WORDS)));
  }

  /** Signed bytes to those above the smallest one, or back. */
  private static void exchange(byte[] block, int at) {
    for (int i = at + SCALE_BYTES; i < at + SCALE_BYTES + BLOCK; i += Long.BYTES) {
      Transposition.LONG.set(block, i, (long) Transposition.LONG.get(block, i) ^ SIGNS);
    }
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
      int to = weightsAt + k * STRIDE;
      grids(packed, nearAt + at, farAt + at, scratch);
      decodeBlock(packed, nearAt + at, scratch, 0, to);
      if (farAt != nearAt) {
        decodeBlock(packed, farAt + at, scratch, ROWS, to + ROWS);
      }
    }
  }

  private static void decodeBlock(
      MemorySegment packed, long at, float[] scratch, int lane, int to) {
    for (int row = 0; row < ROWS; row += L) {
      FloatVector step = FloatVector.fromArray(F, scratch, STEPS_AT + lane + row);
      FloatVector low = FloatVector.fromArray(F, scratch, LOWS_AT + lane + row);
      FloatVector second = step.mul(0x1p-8f);
      FloatVector third = step.mul(0x1p-16f);
      for (int i = 0; i < WORDS; i++) {
        IntVector word =
            IntVector.fromMemorySegment(
                I, packed, at + WORDS_AT + i * WORD_BYTES + 4L * row, ByteOrder.LITTLE_ENDIAN);
        int wordTo = to + i * WORD_COLUMNS * STRIDE + row;
        step.fma((FloatVector) word.and(0xff).convertShape(I2F, F, 0), low)
            .intoArray(scratch, wordTo);
        second
            .fma((FloatVector) word.and(0xff00).convertShape(I2F, F, 0), low)
            .intoArray(scratch, wordTo + STRIDE);
        third
            .fma((FloatVector) word.and(0xff0000).convertShape(I2F, F, 0), low)
            .intoArray(scratch, wordTo + 2 * STRIDE);
        step.fma((FloatVector) word.lanewise(LSHR, 24).convertShape(I2F, F, 0), low)
            .intoArray(scratch, wordTo + 3 * STRIDE);
      }
    }
  }

  private static void grids(MemorySegment packed, long near, long far, float[] scratch) {
    Halves.grid(packed, near, ZERO_Q, scratch, STEPS_AT, LOWS_AT);
    if (STRIDE > ROWS) {
      Halves.grid(packed, far, ZERO_Q, scratch, STEPS_AT + ROWS, LOWS_AT + ROWS);
    }
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

  /** Four vectors of rows by one token; makes the grid of each block ready as it comes by. */
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
    long aAt = rowAt(nearAt, farAt, row, Integer.BYTES);
    long bAt = rowAt(nearAt, farAt, row + L, Integer.BYTES);
    long cAt = rowAt(nearAt, farAt, row + 2 * L, Integer.BYTES);
    long dAt = rowAt(nearAt, farAt, row + 3 * L, Integer.BYTES);
    IntVector first = IntVector.broadcast(I, 0xff);
    IntVector second = IntVector.broadcast(I, 0xff00);
    IntVector third = IntVector.broadcast(I, 0xff0000);
    FloatVector aSum = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector bSum = FloatVector.fromArray(F, scratch, sumsAt + L);
    FloatVector cSum = FloatVector.fromArray(F, scratch, sumsAt + 2 * L);
    FloatVector dSum = FloatVector.fromArray(F, scratch, sumsAt + 3 * L);
    for (int from = 0; from < cols; from += BLOCK) {
      long block = (long) from / BLOCK * BLOCK_BYTES;
      grids(packed, nearAt + block, farAt + block, scratch);
      FloatVector aStep = FloatVector.fromArray(F, scratch, STEPS_AT + row);
      FloatVector bStep = FloatVector.fromArray(F, scratch, STEPS_AT + row + L);
      FloatVector cStep = FloatVector.fromArray(F, scratch, STEPS_AT + row + 2 * L);
      FloatVector dStep = FloatVector.fromArray(F, scratch, STEPS_AT + row + 3 * L);
      FloatVector aLow = FloatVector.fromArray(F, scratch, LOWS_AT + row);
      FloatVector bLow = FloatVector.fromArray(F, scratch, LOWS_AT + row + L);
      FloatVector cLow = FloatVector.fromArray(F, scratch, LOWS_AT + row + 2 * L);
      FloatVector dLow = FloatVector.fromArray(F, scratch, LOWS_AT + row + 3 * L);
      FloatVector aSecond = aStep.mul(0x1p-8f);
      FloatVector bSecond = bStep.mul(0x1p-8f);
      FloatVector cSecond = cStep.mul(0x1p-8f);
      FloatVector dSecond = dStep.mul(0x1p-8f);
      FloatVector aThird = aStep.mul(0x1p-16f);
      FloatVector bThird = bStep.mul(0x1p-16f);
      FloatVector cThird = cStep.mul(0x1p-16f);
      FloatVector dThird = dStep.mul(0x1p-16f);
      long begin = block + WORDS_AT;
      long end = begin + WORDS * WORD_BYTES;
      for (long at = begin; at < end; at += WORD_BYTES) {
        FloatVector x0 = FloatVector.broadcast(F, x[xAt]);
        FloatVector x1 = FloatVector.broadcast(F, x[xAt + 1]);
        FloatVector x2 = FloatVector.broadcast(F, x[xAt + 2]);
        FloatVector x3 = FloatVector.broadcast(F, x[xAt + 3]);
        xAt += WORD_COLUMNS;
        IntVector word = IntVector.fromMemorySegment(I, packed, aAt + at, ByteOrder.LITTLE_ENDIAN);
        FloatVector q = (FloatVector) word.and(first).convertShape(I2F, F, 0);
        aSum = aStep.fma(q, aLow).fma(x0, aSum);
        q = (FloatVector) word.and(second).convertShape(I2F, F, 0);
        aSum = aSecond.fma(q, aLow).fma(x1, aSum);
        q = (FloatVector) word.and(third).convertShape(I2F, F, 0);
        aSum = aThird.fma(q, aLow).fma(x2, aSum);
        q = (FloatVector) word.lanewise(LSHR, 24).convertShape(I2F, F, 0);
        aSum = aStep.fma(q, aLow).fma(x3, aSum);
        word = IntVector.fromMemorySegment(I, packed, bAt + at, ByteOrder.LITTLE_ENDIAN);
        q = (FloatVector) word.and(first).convertShape(I2F, F, 0);
        bSum = bStep.fma(q, bLow).fma(x0, bSum);
        q = (FloatVector) word.and(second).convertShape(I2F, F, 0);
        bSum = bSecond.fma(q, bLow).fma(x1, bSum);
        q = (FloatVector) word.and(third).convertShape(I2F, F, 0);
        bSum = bThird.fma(q, bLow).fma(x2, bSum);
        q = (FloatVector) word.lanewise(LSHR, 24).convertShape(I2F, F, 0);
        bSum = bStep.fma(q, bLow).fma(x3, bSum);
        word = IntVector.fromMemorySegment(I, packed, cAt + at, ByteOrder.LITTLE_ENDIAN);
        q = (FloatVector) word.and(first).convertShape(I2F, F, 0);
        cSum = cStep.fma(q, cLow).fma(x0, cSum);
        q = (FloatVector) word.and(second).convertShape(I2F, F, 0);
        cSum = cSecond.fma(q, cLow).fma(x1, cSum);
        q = (FloatVector) word.and(third).convertShape(I2F, F, 0);
        cSum = cThird.fma(q, cLow).fma(x2, cSum);
        q = (FloatVector) word.lanewise(LSHR, 24).convertShape(I2F, F, 0);
        cSum = cStep.fma(q, cLow).fma(x3, cSum);
        word = IntVector.fromMemorySegment(I, packed, dAt + at, ByteOrder.LITTLE_ENDIAN);
        q = (FloatVector) word.and(first).convertShape(I2F, F, 0);
        dSum = dStep.fma(q, dLow).fma(x0, dSum);
        q = (FloatVector) word.and(second).convertShape(I2F, F, 0);
        dSum = dSecond.fma(q, dLow).fma(x1, dSum);
        q = (FloatVector) word.and(third).convertShape(I2F, F, 0);
        dSum = dThird.fma(q, dLow).fma(x2, dSum);
        q = (FloatVector) word.lanewise(LSHR, 24).convertShape(I2F, F, 0);
        dSum = dStep.fma(q, dLow).fma(x3, dSum);
      }
    }
    aSum.intoArray(scratch, sumsAt);
    bSum.intoArray(scratch, sumsAt + L);
    cSum.intoArray(scratch, sumsAt + 2 * L);
    dSum.intoArray(scratch, sumsAt + 3 * L);
  }
}
