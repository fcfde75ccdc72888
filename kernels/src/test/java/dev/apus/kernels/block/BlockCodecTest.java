package dev.apus.kernels.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/** The laws of the codecs, and their bit layouts against blocks that another reader decoded. */
class BlockCodecTest {

  private static final int VALUES = 5 * 256;
  private static final int GUARD = 3;

  @ParameterizedTest(name = "{0}")
  @CsvFileSource(
      resources = "golden-blocks.csv",
      delimiter = ';',
      maxCharsPerColumn = 10_000,
      ignoreLeadingAndTrailingWhitespace = true)
  void readsTheBitsOfGguf(WeightFormat format, int exponent, String bytes, String counts) {
    float[] expected = new float[format.blockLength()];
    String[] parts = counts.split(" ");
    assertEquals(expected.length, parts.length);
    for (int i = 0; i < expected.length; i++) {
      expected[i] = Math.scalb((float) Integer.parseInt(parts[i]), exponent) + 0f;
    }
    byte[] block = HexFormat.of().parseHex(bytes);
    assertEquals(format.blockBytes(), block.length);
    float[] decoded = decode(format, block, expected.length);
    for (int i = 0; i < decoded.length; i++) {
      decoded[i] += 0f;
    }
    assertArrayEquals(expected, decoded);
  }

  @ParameterizedTest
  @EnumSource
  void leavesWhatIsAroundUntouched(WeightFormat format) {
    float[] values = gaussians(1, VALUES, 0.05f);
    int bytes = (int) format.rowBytes(VALUES);
    byte[] stored = new byte[GUARD + bytes + GUARD];
    Arrays.fill(stored, (byte) 0x5a);
    MemorySegment segment = MemorySegment.ofArray(stored);
    format.codec().encode(values, 0, segment, GUARD, VALUES);
    float[] decoded = new float[GUARD + VALUES + GUARD];
    Arrays.fill(decoded, Float.NaN);
    format.codec().decode(segment, GUARD, decoded, GUARD, VALUES);
    for (int i = 0; i < GUARD; i++) {
      assertEquals(0x5a, stored[i]);
      assertEquals(0x5a, stored[GUARD + bytes + i]);
      assertTrue(Float.isNaN(decoded[i]) && Float.isNaN(decoded[GUARD + VALUES + i]));
    }
    assertArrayEquals(
        decode(format, encode(format, values), VALUES),
        Arrays.copyOfRange(decoded, GUARD, GUARD + VALUES));
  }

  @ParameterizedTest
  @EnumSource
  void zerosStayZeros(WeightFormat format) {
    float[] decoded = decode(format, encode(format, new float[VALUES]), VALUES);
    for (float value : decoded) {
      assertEquals(0, value + 0f);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"})
  void aScaleOfZeroGivesZeros(WeightFormat format) {
    byte[] block = new byte[format.blockBytes()];
    new SplittableRandom(2).nextBytes(block);
    int scaleAt = format == WeightFormat.Q6_K ? 208 : 0;
    int scaleBytes = format == WeightFormat.Q4_K || format == WeightFormat.Q5_K ? 4 : 2;
    Arrays.fill(block, scaleAt, scaleAt + scaleBytes, (byte) 0);
    for (float value : decode(format, block, format.blockLength())) {
      assertEquals(0, value + 0f);
    }
  }

  /** A scale of which not every value is a float: of MXFP4 above 2¹²⁵, of the others infinity. */
  @ParameterizedTest
  @CsvSource({"MXFP4, 0, fd", "MXFP4, 0, ff", "Q4_0, 0, 007c", "Q8_0, 0, 007c", "Q6_K, 208, 00fc"})
  void scalesThatAreTooLargeMakeEveryValueNaN(WeightFormat format, int scaleAt, String scale) {
    byte[] block = new byte[format.blockBytes()];
    byte[] bytes = HexFormat.of().parseHex(scale);
    System.arraycopy(bytes, 0, block, scaleAt, bytes.length);
    for (float value : decode(format, block, format.blockLength())) {
      assertTrue(Float.isNaN(value));
    }
  }

  /** K-quants search for their scales, so they alone may settle elsewhere the second time. */
  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"Q4_K", "Q5_K", "Q6_K"})
  void encodingDecodedValuesChangesNothing(WeightFormat format) {
    for (float size : new float[] {1e-3f, 0.05f, 1, 300}) {
      float[] once = decode(format, encode(format, gaussians(3, VALUES, size)), VALUES);
      assertArrayEquals(once, decode(format, encode(format, once), VALUES));
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {1e-2f, 1, 300})
  void valuesComeBackWithinTheirFormatsBound(float size) {
    for (WeightFormat format : WeightFormat.values()) {
      for (float[] values :
          new float[][] {
            gaussians(4, VALUES, size), mostlySmall(5, size), oneSided(6, size), ramp(size)
          }) {
        float[] decoded = decode(format, encode(format, values), VALUES);
        for (int i = 0; i < VALUES; i++) {
          double bound = bound(format, values, i);
          double miss = Math.abs((double) decoded[i] - values[i]);
          assertTrue(
              miss <= bound,
              format + ": " + values[i] + " came back as " + decoded[i] + ", bound " + bound);
        }
      }
    }
  }

  /** Although its scales have six bits only, the fitted grid beats the exact one over the range. */
  @ParameterizedTest
  @CsvSource({"Q4_K, 15", "Q5_K, 31"})
  void fittingPays(WeightFormat format, int largestQ) {
    float[] values = gaussians(7, VALUES, 0.05f);
    float[] decoded = decode(format, encode(format, values), VALUES);
    double fitted = 0;
    double plain = 0;
    for (int from = 0; from < VALUES; from += 32) {
      double least = 0;
      double greatest = 0;
      for (int i = from; i < from + 32; i++) {
        least = Math.min(least, values[i]);
        greatest = Math.max(greatest, values[i]);
      }
      double step = (greatest - least) / largestQ;
      for (int i = from; i < from + 32; i++) {
        double nearest = least + step * Math.round((values[i] - least) / step);
        plain += Math.pow(nearest - values[i], 2);
        fitted += Math.pow(decoded[i] - values[i], 2);
      }
    }
    assertTrue(fitted < plain, fitted + " is not below " + plain);
  }

  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"F32", "F16", "BF16"})
  void refusesWhatHasNoPlaceInABlock(WeightFormat format) {
    for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      float[] values = new float[256];
      values[201] = value;
      var thrown = assertThrows(IllegalArgumentException.class, () -> encode(format, values));
      assertTrue(thrown.getMessage().startsWith("value 201 is " + value), thrown.getMessage());
    }
  }

  @Test
  void largestScalesRoundTrip() {
    for (float value : new float[] {Float.MAX_VALUE, -Float.MAX_VALUE, Float.MIN_VALUE, 0x1p127f}) {
      float[] values = new float[32];
      values[5] = value;
      float back = decode(WeightFormat.MXFP4, encode(WeightFormat.MXFP4, values), 32)[5];
      assertTrue(Float.isFinite(back));
      assertEquals(value, back, Math.abs(value) / 3 + 0x1p-129);
    }
  }

  /** The largest magnitude of the format with the shortest reach: 8 · 65504. */
  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"F32", "F16", "BF16"})
  void hugeValuesStayFinite(WeightFormat format) {
    float[] values = gaussians(8, 256, 1e5f);
    values[3] = 524_032;
    values[200] = -524_032;
    float[] decoded = decode(format, encode(format, values), 256);
    for (int i = 0; i < 256; i++) {
      assertEquals(values[i], decoded[i], bound(format, values, i));
    }
  }

  @Test
  void infinitiesAndNansPassThroughPlainFormats() {
    float[] values = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f, 1e-45f};
    assertArrayEquals(values, decode(WeightFormat.F32, encode(WeightFormat.F32, values), 5));
    float[] rounded = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f, 0};
    assertArrayEquals(rounded, decode(WeightFormat.F16, encode(WeightFormat.F16, values), 5));
    assertArrayEquals(rounded, decode(WeightFormat.BF16, encode(WeightFormat.BF16, values), 5));
  }

  @Test
  void aRowMustEndWithABlock() {
    var thrown =
        assertThrows(IllegalArgumentException.class, () -> WeightFormat.Q4_K.rowBytes(384));
    assertEquals(
        "a row of 384 values does not divide into Q4_K blocks of 256", thrown.getMessage());
  }

  private static double bound(WeightFormat format, float[] values, int i) {
    double size = Math.abs(values[i]);
    int block = i / format.blockLength() * format.blockLength();
    double largest = largest(values, block, format.blockLength());
    return switch (format) {
      case F32 -> 0;
      case F16 -> Math.max(size * 0x1p-11, 0x1p-25);
      case BF16 -> size * 0x1p-8;
      case Q8_0 -> largest / 127 * (0.5 + 127 * 0x1p-11) + 127 * 0x1p-25;
      case Q4_0 -> largest / 8 * (1 + 8 * 0x1p-11) + 8 * 0x1p-25;
      case Q4_K -> affineBound(values, block, 15);
      case Q5_K -> affineBound(values, block, 31);
      case Q6_K -> 1.5 * largest / 32;
      case MXFP4 -> largest / 3;
    };
  }

  private static double affineBound(float[] values, int block, int largestQ) {
    double widest = 0;
    double lowest = 0;
    for (int from = block; from < block + 256; from += 32) {
      double least = 0;
      double greatest = 0;
      for (int i = from; i < from + 32; i++) {
        least = Math.min(least, values[i]);
        greatest = Math.max(greatest, values[i]);
      }
      widest = Math.max(widest, greatest - least);
      lowest = Math.max(lowest, -least);
    }
    return 1.5 * widest / largestQ + lowest / 60;
  }

  private static double largest(float[] values, int from, int count) {
    double largest = 0;
    for (int i = from; i < from + count; i++) {
      largest = Math.max(largest, Math.abs(values[i]));
    }
    return largest;
  }

  private static byte[] encode(WeightFormat format, float[] values) {
    byte[] stored = new byte[(int) format.rowBytes(values.length)];
    Arrays.fill(stored, (byte) 0xa5);
    format.codec().encode(values, 0, MemorySegment.ofArray(stored), 0, values.length);
    return stored;
  }

  private static float[] decode(WeightFormat format, byte[] stored, int count) {
    float[] values = new float[count];
    Arrays.fill(values, Float.NaN);
    format.codec().decode(MemorySegment.ofArray(stored), 0, values, 0, count);
    return values;
  }

  private static float[] gaussians(int seed, int count, float size) {
    var random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() * size;
    }
    return values;
  }

  /** One value in forty towers over its neighbours. */
  private static float[] mostlySmall(int seed, float size) {
    float[] values = gaussians(seed, VALUES, size / 100);
    for (int i = 0; i < VALUES; i += 41) {
      values[i] *= 100;
    }
    return values;
  }

  /** No value below zero, none near it. */
  private static float[] oneSided(int seed, float size) {
    float[] values = gaussians(seed, VALUES, size / 10);
    for (int i = 0; i < VALUES; i++) {
      values[i] = size + Math.abs(values[i]);
    }
    return values;
  }

  private static float[] ramp(float size) {
    float[] values = new float[VALUES];
    for (int i = 0; i < VALUES; i++) {
      values[i] = size * (i % 256 - 100) / 100;
    }
    return values;
  }
}
