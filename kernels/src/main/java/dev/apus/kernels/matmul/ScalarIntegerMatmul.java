package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.block.WholeCodec;
import java.lang.foreign.MemorySegment;

/**
 * The definition of {@link Products#INTEGER}: with q and s the numbers and the scale of a token's
 * span as {@link RoundedInputs} has them, and a weight {@code step · n + low}, an output is one
 * chain over the 16 or 32 columns that share a step, first columns first:
 *
 * <pre>
 *   y ← fma(step · 2⁻ᵖ s, 2ᵖ Σ nₖ qₖ, y)        the sum is a whole number
 *   y ← fma(low, s · Σ qₖ, y)                   if the format has lows
 * </pre>
 *
 * <p>p is 16 where sums fit into as many bits, and otherwise zero; it matters where the product of
 * step and scale is subnormal.
 *
 * <p>A panel is its rows as stored, one after the other.
 */
final class ScalarIntegerMatmul implements RoundingMatmul {

  private static final int SPAN = RoundedInputs.SPAN;

  private final ScalarMatmul exact;
  private final WeightFormat format;
  private final WholeCodec codec;
  private final float perWhole;

  ScalarIntegerMatmul(WeightFormat format) {
    this.exact = new ScalarMatmul(format);
    this.format = format;
    this.codec = (WholeCodec) format.codec();
    this.perWhole = fits(format) ? RoundedInputs.PER_WHOLE : 1;
  }

  @Override
  public WeightFormat format() {
    return format;
  }

  @Override
  public long panelBytes(int cols) {
    return exact.panelBytes(cols);
  }

  @Override
  public void pack(MemorySegment[] rows, int cols, MemorySegment packed, long packedAt) {
    exact.pack(rows, cols, packed, packedAt);
  }

  @Override
  public void unpack(
      MemorySegment packed, long packedAt, int cols, int fromRow, int rows, MemorySegment stored) {
    exact.unpack(packed, packedAt, cols, fromRow, rows, stored);
  }

  @Override
  public Rounding rounding() {
    return ScalarRounding.SHARED;
  }

  @Override
  public int roundedScratchFloats(int cols, int tokens) {
    return 0;
  }

  @Override
  public void multiplyRounded(
      MemorySegment packed,
      int rows,
      int cols,
      int fromPanel,
      int toPanel,
      float[] rounded,
      int roundedAt,
      int tokens,
      float[] y,
      int yAt,
      int yStride,
      float[] scratch) {
    int end = Math.min(rows, toPanel * PANEL_ROWS);
    for (int row = fromPanel * PANEL_ROWS; row < end; row++) {
      for (int t = 0; t < tokens; t++) {
        y[yAt + t * yStride + row] = 0;
      }
      long rowAt = row / PANEL_ROWS * panelBytes(cols) + row % PANEL_ROWS * format.rowBytes(cols);
      extend(packed, rowAt, cols, rounded, roundedAt, tokens, y, yAt + row, yStride);
    }
  }

  /** All columns of one row of weights. */
  private void extend(
      MemorySegment packed,
      long rowAt,
      int cols,
      float[] inputs,
      int inputsAt,
      int tokens,
      float[] y,
      int yAt,
      int yStride) {
    int rowFloats = ScalarRounding.rowFloats(cols);
    int[] numbers = new int[format.blockLength()];
    int length = codec.gridLength();
    float[] steps = new float[format.blockLength() / length];
    float[] lows = new float[steps.length];
    for (int col = 0; col < cols; col += format.blockLength()) {
      codec.read(packed, rowAt + format.rowBytes(col), numbers, steps, lows);
      for (int grid = 0; grid < steps.length; grid++) {
        int from = grid * length;
        for (int t = 0; t < tokens; t++) {
          int at = inputsAt + t * rowFloats + (col + from) / SPAN * RoundedInputs.FLOATS;
          float sum = product(numbers, from, length, inputs, at + from % SPAN);
          float scale = inputs[at + RoundedInputs.SCALE] * perWhole;
          int to = yAt + t * yStride;
          y[to] = Math.fma(steps[grid] * scale, sum / perWhole, y[to]);
          if (codec.hasLows()) {
            y[to] = Math.fma(lows[grid], inputs[at + RoundedInputs.TOTAL], y[to]);
          }
        }
      }
    }
  }

  private static boolean fits(WeightFormat format) {
    return format == WeightFormat.Q4_0 || format == WeightFormat.Q4_K;
  }

  private static int product(int[] numbers, int numbersAt, int length, float[] inputs, int at) {
    int sum = 0;
    for (int k = 0; k < length; k++) {
      sum += numbers[numbersAt + k] * (short) Float.floatToRawIntBits(inputs[at + k]);
    }
    return sum;
  }
}
