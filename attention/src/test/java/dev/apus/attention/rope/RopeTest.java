package dev.apus.attention.rope;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.kernels.Kernels;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way of turning, against what the models' reference implementation computes. */
class RopeTest {

  private static final List<Double> SHORT = List.of(1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5);
  private static final List<Double> LONG = List.of(2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0);

  private static Rope.Spec spec(int headDim, int context, Map<String, ?> settings) {
    return Rope.Spec.read(Config.of("rope", settings), headDim, context);
  }

  /** Frequencies by modeling_rope_utils of transformers 5.17, for heads of 16. */
  static Stream<Arguments> recorded() {
    Map<String, Object> longRope =
        Map.of(
            "type",
            "longrope",
            "factor",
            4,
            "original",
            512,
            "shortFactors",
            SHORT,
            "longFactors",
            LONG);
    return Stream.of(
        of(
            Map.of("type", "linear", "factor", 3),
            0,
            1f,
            "0.33333334 0.10540926 0.033333335 0.010540926 0.0033333332 0.0010540927"
                + " 0.00033333336 0.000105409265"),
        of(
            Map.of("type", "dynamic", "factor", 3, "original", 128),
            100,
            1f,
            "1.0 0.31622776 0.1 0.03162278 0.01 0.0031622779 0.001 0.0003162278"),
        of(
            Map.of("type", "dynamic", "factor", 3, "original", 128),
            1000,
            1f,
            "1.0 0.20409496 0.04165475 0.008501524 0.0017351182 0.00035412886 7.227592e-05"
                + " 1.4751149e-05"),
        of(
            Map.of(
                "type",
                "llama3",
                "theta",
                500_000,
                "factor",
                8,
                "lowFrequency",
                1,
                "highFrequency",
                4,
                "original",
                512),
            0,
            1f,
            "1.0 0.19392276 0.027344134 0.00091158313 0.00017677668 3.4281024e-05 6.6478697e-06"
                + " 1.2891732e-06"),
        of(
            Map.of("type", "yarn", "factor", 4, "original", 512),
            0,
            1.1386294f,
            "1.0 0.25693506 0.0625 0.013834965 0.0025 0.00079056947 0.00025 7.905695e-05"),
        of(
            Map.of(
                "type",
                "yarn",
                "theta",
                150_000,
                "factor",
                32,
                "original",
                4096,
                "truncate",
                false,
                "betaFast",
                32,
                "betaSlow",
                1),
            0,
            1.3465736f,
            "1.0 0.225418 0.050813273 0.0067949593 0.00045648392 1.8188337e-05 4.0999785e-06"
                + " 9.2420896e-07"),
        of(
            Map.of("type", "yarn", "factor", 0.5, "original", 4),
            0,
            1f,
            "1.0 0.6324555 0.2 0.06324556 0.02 0.0063245557 0.002 0.0006324556"),
        of(
            Map.of("type", "yarn", "factor", 4, "original", 512, "dims", 12),
            0,
            1.1386294f,
            "1.0 0.16158257 0.02320794 0.0025 0.0005386086 0.00011603974"),
        of(
            longRope,
            512,
            1.1055416f,
            "1.0 0.2108185 0.05 0.012649111 0.0033333334 0.0009035079 0.00025 7.0272836e-05"),
        of(
            longRope,
            513,
            1.1055416f,
            "0.5 0.10540925 0.025 0.0063245557 0.0016666667 0.00045175396 0.000125"
                + " 3.5136418e-05"),
        of(
            Map.of("type", "proportional", "factor", 2, "dims", 8),
            0,
            1f,
            "0.5 0.15811388 0.05 0.01581139 0.0 0.0 0.0 0.0"));
  }

  @ParameterizedTest(name = "{0} for {1} tokens")
  @MethodSource("recorded")
  void frequenciesAreThoseOfTheReference(
      Map<String, ?> settings, int limit, float factor, String expected) {
    Rope.Spec spec = spec(16, 2048, settings);
    float[] frequencies = Frequencies.of(spec, limit);
    String[] words = expected.split(" ");
    assertEquals(words.length, frequencies.length);
    for (int i = 0; i < words.length; i++) {
      float word = Float.parseFloat(words[i]);
      assertEquals(word, frequencies[i], 4e-7f * word, "pair " + i);
    }
    assertEquals(factor, Frequencies.attentionFactor(spec));
  }

  @ParameterizedTest
  @CsvSource({"10000, 16, 16", "500000, 64, 64", "1000000, 128, 64", "2, 6, 6", "1, 4, 2"})
  void plainFrequenciesAreAGeometricSeries(double theta, int headDim, int dims) {
    Rope.Spec spec = spec(headDim, 100, Map.of("theta", theta, "dims", dims));
    float[] frequencies = Frequencies.of(spec, 100);
    assertEquals(dims / 2, frequencies.length);
    for (int i = 0; i < frequencies.length; i++) {
      double exact = Math.pow(theta, -2.0 * i / dims);
      assertEquals(exact, frequencies[i], 2e-6 * exact);
    }
    assertEquals(1, Frequencies.attentionFactor(spec));
  }

  @Test
  void factorsDivideEachPair() {
    List<Double> factors = List.of(1.0, 2.5, Double.POSITIVE_INFINITY, 0.5);
    Rope.Spec spec = spec(8, 100, Map.of("type", "factors", "factors", factors));
    float[] frequencies = Frequencies.of(spec, 100);
    for (int i = 0; i < 4; i++) {
      double exact = Math.pow(10_000, -i / 4.0) / factors.get(i);
      assertEquals(exact, frequencies[i], 2e-6 * exact);
    }
  }

  @Test
  void aGivenAttentionFactorIsTaken() {
    for (String type : List.of("default", "yarn")) {
      Map<String, ?> settings = Map.of("type", type, "factor", 4, "attentionFactor", 0.75);
      Rope rope = Rope.of(spec(8, 100, settings), 100);
      assertEquals(0.75f, tables(rope, 0, 1).cos()[0], type);
    }
  }

  /** Far into a sequence too: the angle is a product of floats. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1000, 1 << 20, (1 << 24) - 3})
  void tablesHoldTheAnglesOfThePositions(int position) {
    Rope rope = Rope.of(spec(10, 100, Map.of("type", "yarn", "factor", 4)), 100);
    float[] frequencies = Frequencies.of(spec(10, 100, Map.of("type", "yarn", "factor", 4)), 100);
    double factor = 0.1 * Math.log(4) + 1;
    Rope.Tables tables = tables(rope, position, 3);
    for (int row = 0; row < 3; row++) {
      for (int i = 0; i < 5; i++) {
        float angle = (position + row) * frequencies[i];
        assertEquals(factor * Math.cos(angle), tables.cos()[row * 5 + i], 2e-7);
        assertEquals(factor * Math.sin(angle), tables.sin()[row * 5 + i], 2e-7);
      }
    }
  }

  /** Layers that turn by the same angles compute them once a pass; others have their own. */
  @Test
  void whatTurnsAlikeSharesItsTables() {
    Map<String, ?> yarn = Map.of("type", "yarn", "factor", 4);
    Rope one = Rope.of(spec(10, 100, yarn), 100);
    Rope same = Rope.of(spec(10, 100, yarn), 100);
    Rope other = Rope.of(spec(10, 100, Map.of()), 100);
    try (Workers workers = Workers.of(2)) {
      var pass = new Pass(workers, Kernels.chosen());
      Rope.Tables tables = one.tables(pass, 7, 3);
      assertSame(tables, same.tables(pass, 7, 3));
      assertNotSame(tables, other.tables(pass, 7, 3));
      assertNotSame(tables, one.tables(pass, 8, 3));
      assertNotSame(tables, one.tables(pass, 7, 4));
      pass.begin();
      assertNotSame(tables, one.tables(pass, 7, 3));
    }
  }

  static Rope.Tables tables(Rope rope, int position, int rows) {
    try (Workers workers = Workers.of(1)) {
      return rope.tables(new Pass(workers, Kernels.chosen()), position, rows);
    }
  }

  /** What a query and a key have in common depends on how far they are apart, not on where. */
  @ParameterizedTest
  @CsvSource({"halves, 12, 12", "interleaved, 12, 12", "halves, 13, 6", "interleaved, 13, 6"})
  void onlyTheDistanceMatters(String layout, int headDim, int dims) {
    Rope rope = Rope.of(spec(headDim, 100, Map.of("layout", layout, "dims", dims)), 100);
    var random = new SplittableRandom(headDim);
    float[] q = new float[headDim];
    float[] k = new float[headDim];
    for (int i = 0; i < headDim; i++) {
      q[i] = (float) random.nextGaussian();
      k[i] = (float) random.nextGaussian();
    }
    for (int distance : new int[] {0, 1, 7, 40}) {
      double here = dot(turned(rope, q, distance), turned(rope, k, 0));
      for (int shift : new int[] {1, 33, 400}) {
        double there = dot(turned(rope, q, distance + shift), turned(rope, k, shift));
        assertEquals(here, there, 1e-3, distance + " apart at " + shift);
      }
    }
    for (int i = dims; i < headDim; i++) {
      assertEquals(q[i], turned(rope, q, 9)[i], "values past dims stay");
    }
  }

  private static float[] turned(Rope rope, float[] x, int position) {
    float[] copy = x.clone();
    Rope.Tables tables = tables(rope, position, 1);
    rope.rotate(Kernels.chosen().rotary(), copy, 0, 1, x.length, tables, 0);
    return copy;
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }
}
