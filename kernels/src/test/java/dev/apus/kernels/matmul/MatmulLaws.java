package dev.apus.kernels.matmul;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.block.WholeCodec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What holds for every form of {@link Matmul}, in bits. */
abstract class MatmulLaws {

  private static final int[] ROWS = {1, 31, 32, 33, 70, 97};
  private static final int[] BLOCKS = {1, 2, 3, 4, 9};
  private static final int[] PLAIN_COLS = {1, 7, 127, 129, 300};
  private static final int[] TOKENS = {0, 1, 2, 3, 5, 6, 7, 13, 64};
  private static final int MOST_TOKENS = 64;
  private static final int GAP = GuardedTokens.GAP;
  private static final float GUARD = GuardedTokens.GUARD;

  /** Inputs with the same scale. */
  private static final int SPAN = RoundedInputs.SPAN;

  abstract Matmul matmul(WeightFormat format);

  Products products() {
    return Products.EXACT;
  }

  @ParameterizedTest
  @EnumSource
  void everyOutputIsOneChainOverTheDecodedWeights(WeightFormat format) {
    var random = new SplittableRandom(11);
    for (int rows : ROWS) {
      for (int i = 0; i < BLOCKS.length; i++) {
        int cols = format.blockLength() == 1 ? PLAIN_COLS[i] : BLOCKS[i] * format.blockLength();
        Matrix matrix = Matrix.encoded(random, format, rows, cols);
        GuardedTokens inputs = GuardedTokens.random(random, cols, MOST_TOKENS);
        float[][] chains = matrix.chains(products(), inputs, MOST_TOKENS);
        try (Arena arena = Arena.ofConfined()) {
          Packed packed = pack(matrix, arena);
          for (int tokens : TOKENS) {
            check(packed, inputs, tokens, chains, 0, packed.panels());
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void panelsMayBeCutAnywhere(WeightFormat format) {
    var random = new SplittableRandom(12);
    int cols = format.blockLength() == 1 ? 153 : 3 * format.blockLength();
    Matrix matrix = Matrix.encoded(random, format, 5 * Matmul.PANEL_ROWS - 9, cols);
    GuardedTokens inputs = GuardedTokens.random(random, cols, 7);
    float[][] chains = matrix.chains(products(), inputs, 7);
    try (Arena arena = Arena.ofConfined()) {
      Packed packed = pack(matrix, arena);
      for (int from = 0; from < packed.panels(); from++) {
        for (int to = from; to <= packed.panels(); to++) {
          check(packed, inputs, 1, chains, from, to);
          check(packed, inputs, 7, chains, from, to);
        }
      }
    }
  }

  /** Any bytes are weights: every code, and scales that are subnormal, infinite or not a number. */
  @ParameterizedTest
  @EnumSource
  void anyBytesMultiplyAsTheyDecode(WeightFormat format) {
    var random = new SplittableRandom(13);
    int cols = 2 * format.blockLength();
    Matrix matrix = Matrix.ofRandomBytes(random, format, 999, cols);
    GuardedTokens inputs = GuardedTokens.random(random, cols, 2);
    try (Arena arena = Arena.ofConfined()) {
      Packed packed = pack(matrix, arena);
      check(packed, inputs, 2, matrix.chains(products(), inputs, 2), 0, packed.panels());
    }
  }

  @Test
  void everyHalfIsMultipliedAsItDecodes() {
    int rows = 1 << 16;
    byte[][] stored = new byte[rows][];
    for (int bits = 0; bits < rows; bits++) {
      stored[bits] = new byte[] {(byte) bits, (byte) (bits >> 8)};
    }
    Matrix matrix = new Matrix(WeightFormat.F16, 1, stored);
    GuardedTokens inputs = GuardedTokens.random(new SplittableRandom(14), 1, 1);
    try (Arena arena = Arena.ofConfined()) {
      Packed packed = pack(matrix, arena);
      check(packed, inputs, 1, matrix.chains(products(), inputs, 1), 0, packed.panels());
    }
  }

  /** More tokens than any blocking by tokens holds at once. */
  @Test
  void tokensHaveNoLimit() {
    var random = new SplittableRandom(15);
    Matrix matrix = Matrix.encoded(random, WeightFormat.F32, 33, 5);
    GuardedTokens inputs = GuardedTokens.random(random, 5, 1031);
    try (Arena arena = Arena.ofConfined()) {
      Packed packed = pack(matrix, arena);
      check(packed, inputs, 1031, matrix.chains(products(), inputs, 1031), 0, packed.panels());
    }
  }

  @ParameterizedTest
  @EnumSource
  void panelsAreAsLargeAsTheirRows(WeightFormat format) {
    int cols = 3 * format.blockLength();
    long rowsBytes = format.rowBytes(cols) * Matmul.PANEL_ROWS;
    assertEquals((rowsBytes + 63) / 64 * 64, matmul(format).panelBytes(cols));
    assertEquals(format, matmul(format).format());
  }

  /** Also rows of one panel only, wherever they begin. */
  @ParameterizedTest
  @EnumSource
  void unpackingGivesTheStoredBits(WeightFormat format) {
    int rowCount = 2 * Matmul.PANEL_ROWS - 5;
    for (int blocks : BLOCKS) {
      int cols = blocks * (format.blockLength() == 1 ? 101 : format.blockLength());
      Matrix matrix = Matrix.ofRandomBytes(new SplittableRandom(16), format, rowCount, cols);
      long rowBytes = format.rowBytes(cols);
      try (Arena arena = Arena.ofConfined()) {
        Packed packed = pack(matrix, arena);
        for (int[] range : new int[][] {{0, 32}, {0, 1}, {5, 1}, {26, 1}, {3, 17}, {8, 16}}) {
          MemorySegment stored = arena.allocate(rowBytes * range[1]);
          long panelAt = matmul(format).panelBytes(cols);
          int rows = Math.min(range[1], rowCount - Matmul.PANEL_ROWS - range[0]);
          matmul(format).unpack(packed.panelsAt, panelAt, cols, range[0], range[1], stored);
          for (int row = 0; row < rows; row++) {
            byte[] expected = matrix.rows[Matmul.PANEL_ROWS + range[0] + row];
            byte[] found = stored.asSlice(row * rowBytes, rowBytes).toArray(ValueLayout.JAVA_BYTE);
            assertArrayEquals(expected, found, format + " row " + (range[0] + row));
          }
        }
      }
    }
  }

  /** Each input is off by half a step of its span's 254 at most, so outputs have a bound too. */
  @ParameterizedTest
  @EnumSource
  void outputsAreAsNearAsTheirInputsAreRounded(WeightFormat format) {
    var random = new SplittableRandom(17);
    int cols = 256;
    Matrix matrix = Matrix.encoded(random, format, 40, cols);
    GuardedTokens inputs = GuardedTokens.random(random, cols, 5);
    float[][] exact = matrix.chains(Products.EXACT, inputs, 5);
    float[][] found = matrix.chains(products(), inputs, 5);
    float[] weights = new float[cols];
    boolean differ = false;
    for (int row = 0; row < 40; row++) {
      format.codec().decode(MemorySegment.ofArray(matrix.rows[row]), 0, weights, 0, cols);
      for (int t = 0; t < 5; t++) {
        double bound = 0;
        for (int k = 0; k < cols; k++) {
          int span = k - k % SPAN;
          float largest = 0;
          for (int i = 0; i < SPAN; i++) {
            largest = Math.max(largest, Math.abs(inputs.x()[GAP + t * inputs.stride() + span + i]));
          }
          bound += Math.abs(weights[k]) * (largest / 254 + cols * 0x1p-23 * largest);
        }
        assertEquals(exact[t][row], found[t][row], bound);
        differ |= exact[t][row] != found[t][row];
      }
    }
    assertEquals(products().areInteger(format), differ);
  }

  /** The largest inputs times the least and the largest numbers still fit where they are summed. */
  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q4_K", "Q5_K", "Q6_K", "MXFP4"})
  void theLargestSumsFit(WeightFormat format) {
    int cols = format.blockLength();
    byte[][] rows = new byte[33][format.blockBytes()];
    // Every quant the least or the largest, numbers of sub-blocks −1 or 63, and scales of 1.
    boolean codes = format == WeightFormat.MXFP4;
    byte[] scales =
        HexFormat.of()
            .parseHex(
                switch (format) {
                  case MXFP4 -> "7f";
                  case Q4_0 -> "003c";
                  case Q6_K -> "ff".repeat(16) + "003c";
                  default -> "003c003c" + "ff".repeat(12);
                });
    for (int row = 0; row < rows.length; row++) {
      Arrays.fill(rows[row], (byte) (row % 2 == 0 ? codes ? 0x77 : 0 : 0xff));
      System.arraycopy(scales, 0, rows[row], format == WeightFormat.Q6_K ? 192 : 0, scales.length);
    }
    Matrix matrix = new Matrix(format, cols, rows);
    GuardedTokens inputs = GuardedTokens.random(new SplittableRandom(18), cols, 9);
    for (int i = 0; i < inputs.x().length; i++) {
      inputs.x()[i] = i / inputs.stride() % 2 == 0 ? 1 : -1;
    }
    try (Arena arena = Arena.ofConfined()) {
      Packed packed = pack(matrix, arena);
      check(packed, inputs, 1, matrix.chains(products(), inputs, 1), 0, packed.panels());
      check(packed, inputs, 9, matrix.chains(products(), inputs, 9), 0, packed.panels());
    }
  }

  /** What is not a number does not vanish by rounding. */
  @ParameterizedTest
  @EnumSource
  void notANumberIsSeenInEveryOutput(WeightFormat format) {
    int cols = 2 * Math.max(SPAN, format.blockLength());
    Matrix matrix = Matrix.encoded(new SplittableRandom(19), format, 33, cols);
    GuardedTokens inputs = GuardedTokens.random(new SplittableRandom(20), cols, 2);
    inputs.x()[GAP + inputs.stride() + cols - 1] = Float.NaN;
    try (Arena arena = Arena.ofConfined()) {
      Packed packed = pack(matrix, arena);
      float[][] expected = matrix.chains(products(), inputs, 1);
      float[] none = new float[33];
      Arrays.fill(none, Float.NaN);
      check(packed, inputs, 2, new float[][] {expected[0], none}, 0, packed.panels());
    }
  }

  private Packed pack(Matrix matrix, Arena arena) {
    Matmul matmul = matmul(matrix.format);
    int panels = Math.ceilDiv(matrix.rows.length, Matmul.PANEL_ROWS);
    long panelBytes = matmul.panelBytes(matrix.cols);
    MemorySegment packed = arena.allocate(panels * panelBytes + 64, 64).fill((byte) 0x7b);
    for (int panel = panels - 1; panel >= 0; panel--) {
      int from = panel * Matmul.PANEL_ROWS;
      int to = Math.min(from + Matmul.PANEL_ROWS, matrix.rows.length);
      MemorySegment[] rows =
          Arrays.stream(matrix.rows, from, to)
              .map(MemorySegment::ofArray)
              .toArray(MemorySegment[]::new);
      matmul.pack(rows, matrix.cols, packed, panel * panelBytes);
    }
    byte[] after = packed.asSlice(panels * panelBytes).toArray(ValueLayout.JAVA_BYTE);
    for (byte guard : after) {
      assertEquals(0x7b, guard, "packing wrote past the last panel");
    }
    return new Packed(matrix, packed, panels);
  }

  private void check(
      Packed packed,
      GuardedTokens inputs,
      int tokens,
      float[][] chains,
      int fromPanel,
      int toPanel) {
    Matrix matrix = packed.matrix;
    int rows = matrix.rows.length;
    int yStride = rows + GAP;
    float[] y = new float[GAP + tokens * yStride];
    Arrays.fill(y, GUARD);
    float[] expected = y.clone();
    for (int t = 0; t < tokens; t++) {
      int from = Math.min(fromPanel * Matmul.PANEL_ROWS, rows);
      int to = Math.min(toPanel * Matmul.PANEL_ROWS, rows);
      System.arraycopy(chains[t], from, expected, GAP + t * yStride + from, to - from);
    }
    Matmul matmul = matmul(matrix.format);
    float[] scratch = new float[matmul.scratchFloats(matrix.cols, tokens)];
    Arrays.fill(scratch, GUARD);
    matmul.multiply(
        packed.panelsAt,
        rows,
        matrix.cols,
        fromPanel,
        toPanel,
        inputs.x(),
        GAP,
        inputs.stride(),
        tokens,
        y,
        GAP,
        yStride,
        scratch);
    Supplier<String> where =
        () ->
            "%d×%d, %d tokens, panels %d…%d"
                .formatted(rows, matrix.cols, tokens, fromPanel, toPanel);
    assertArrayEquals(expected, y, where);
    if (matmul instanceof RoundingMatmul rounding) {
      Arrays.fill(y, GUARD);
      float[] rounded = inputs.rounded(rounding.rounding(), matrix.cols, tokens);
      rounding.multiplyRounded(
          packed.panelsAt,
          rows,
          matrix.cols,
          fromPanel,
          toPanel,
          rounded,
          GAP,
          tokens,
          y,
          GAP,
          yStride,
          new float[rounding.roundedScratchFloats(matrix.cols, tokens)]);
      assertArrayEquals(expected, y, where);
    }
  }

  /** A matrix in the panels of one form. */
  private record Packed(Matrix matrix, MemorySegment panelsAt, int panels) {}

  /** Stored rows, and the definition of their product. */
  private record Matrix(WeightFormat format, int cols, byte[][] rows) {

    static Matrix encoded(SplittableRandom random, WeightFormat format, int rows, int cols) {
      byte[][] stored = new byte[rows][(int) format.rowBytes(cols)];
      float[] values = new float[cols];
      for (byte[] row : stored) {
        for (int k = 0; k < cols; k++) {
          values[k] = (float) random.nextGaussian() * 0.05f;
        }
        format.codec().encode(values, 0, MemorySegment.ofArray(row), 0, cols);
      }
      return new Matrix(format, cols, stored);
    }

    static Matrix ofRandomBytes(SplittableRandom random, WeightFormat format, int rows, int cols) {
      byte[][] stored = new byte[rows][(int) format.rowBytes(cols)];
      for (byte[] row : stored) {
        random.nextBytes(row);
      }
      return new Matrix(format, cols, stored);
    }

    float[][] chains(Products products, GuardedTokens inputs, int tokens) {
      if (products.areInteger(format)) {
        return grids(inputs, tokens);
      }
      float[][] chains = new float[tokens][rows.length];
      float[] weights = new float[cols];
      for (int row = 0; row < rows.length; row++) {
        format.codec().decode(MemorySegment.ofArray(rows[row]), 0, weights, 0, cols);
        for (int t = 0; t < tokens; t++) {
          float chain = 0;
          for (int k = 0; k < cols; k++) {
            chain = Math.fma(weights[k], inputs.x()[GAP + t * inputs.stride() + k], chain);
          }
          chains[t][row] = chain;
        }
      }
      return chains;
    }

    /** Chains over columns that share a step, of sums in whole numbers. */
    private float[][] grids(GuardedTokens inputs, int tokens) {
      float[][] chains = new float[tokens][rows.length];
      WholeCodec codec = (WholeCodec) format.codec();
      int length = codec.gridLength();
      int[] numbers = new int[format.blockLength()];
      float[] steps = new float[format.blockLength() / length];
      float[] lows = new float[steps.length];
      for (int row = 0; row < rows.length; row++) {
        for (int k = 0; k < cols; k += length) {
          int block = k / format.blockLength();
          long blockAt = (long) block * format.blockBytes();
          codec.read(MemorySegment.ofArray(rows[row]), blockAt, numbers, steps, lows);
          int within = k % format.blockLength();
          for (int t = 0; t < tokens; t++) {
            int at = GAP + t * inputs.stride() + k;
            float largest = 0;
            for (int i = at - k % SPAN; i < at - k % SPAN + SPAN; i++) {
              largest = Math.max(largest, Math.abs(inputs.x()[i]));
            }
            int product = 0;
            int sum = 0;
            for (int i = 0; i < length; i++) {
              int q = largest == 0 ? 0 : (int) Math.rint(inputs.x()[at + i] * (127 / largest));
              product += q * numbers[within + i];
              sum += q;
            }
            int grid = within / length;
            float scale = largest / 127;
            chains[t][row] = Math.fma(steps[grid] * scale, product, chains[t][row]);
            if (codec.hasLows()) {
              chains[t][row] = Math.fma(lows[grid], scale * sum, chains[t][row]);
            }
          }
        }
      }
      return chains;
    }
  }
}
