package dev.apus.kernels.matmul;

import java.lang.foreign.MemorySegment;

/**
 * How {@link VectorIntegerMatmul} multiplies and sums numbers that fill halves of words in one way.
 *
 * <p>The columns of a span are summed in parts, whose sums fit into 16 bits.
 */
interface IntegerNumbers {

  /** Columns of a part. */
  int partColumns();

  /** Columns that share a step. */
  int stepColumns();

  /** Bytes of a span in a panel. */
  long spanBytes();

  /** Where in a span of {@link RoundedInputs} is what sums of unpacked numbers begin with. */
  int start();

  /**
   * Unpacks the numbers of a span: column after column, vector a and b of each.
   *
   * @param stride floats from a column to the next
   */
  void unpack(MemorySegment packed, long aAt, long bAt, float[] scratch, int numbersAt, int stride);

  /**
   * Adds the sums of one or two spans, as floats, to those of a tile's tokens: of two vectors by
   * four tokens.
   *
   * @param wholesAt of the first part
   * @param stride floats from a token's sums in whole numbers to those of the next
   * @param xStride floats from a token's first span to its second
   */
  void scale(
      float[] scratch,
      int wholesAt,
      int stride,
      int spans,
      float[] x,
      int xAt,
      int xStride,
      int stepsAt,
      int lowsAt,
      int sumsAt);

  /** What rounds the inputs. */
  Rounding rounding();

  /**
   * What {@link #one} reads of so many tokens that {@link #rounding} has rounded together.
   *
   * @param roundedAt where all of them begin
   */
  Alone alone(int cols, int tokens, int roundedAt);

  /**
   * Where tokens are that go one by one.
   *
   * @param at the first one
   * @param stride floats to the next one
   * @param spanStride floats from a token's span to its next one
   */
  record Alone(int at, int stride, int spanStride) {}

  /**
   * Numbers by one token, for some spans, and straight to its sums.
   *
   * @param aAt where the first span's numbers of vector a begin; those of the next ones follow
   * @param xStride floats from a span to the next
   */
  void one(
      MemorySegment packed,
      long aAt,
      long bAt,
      int spans,
      float[] scratch,
      float[] x,
      int xAt,
      int xStride,
      int stepsAt,
      int lowsAt,
      int sumsAt);
}
