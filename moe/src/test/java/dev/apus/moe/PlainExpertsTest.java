package dev.apus.moe;

import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.model.ChannelMixer;
import dev.apus.core.model.ChannelType;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Layers of MoE++, hash layers and product keys, against their formulas in double precision. */
class PlainExpertsTest {

  private static final int WIDTH = 11;
  private static final int INNER = 5;
  private static final int ROWS = 17;

  private final Workers workers = Workers.of(2);
  private final Arena arena = Arena.ofShared();
  private final Pass pass = new Pass(workers, Kernels.chosen());

  @AfterEach
  void close() {
    workers.close();
    arena.close();
  }

  /** A part with the weights that the bench's functions give. */
  private ChannelMixer built(ChannelType type, Map<String, Object> settings) {
    var weights =
        new Weights(new RandomWeights(21, WeightFormat.F32), Kernels.chosen(), workers, arena);
    Site site = new Site(WIDTH, 0, 100, Kernels.chosen(), CacheFormat.F32, weights.root());
    return type.build(Config.of(type.name(), settings), site);
  }

  private static double[][] tokens(long seed) {
    var random = new SplittableRandom(seed);
    double[][] x = new double[ROWS][WIDTH];
    for (double[] row : x) {
      Arrays.setAll(row, i -> (float) random.nextGaussian());
    }
    return x;
  }

  private static Matrix matrix(double[][] x) {
    Matrix to = Matrix.zeros(x.length, WIDTH);
    for (int i = 0; i < x.length * WIDTH; i++) {
      to.data()[i] = (float) x[i / WIDTH][i % WIDTH];
    }
    return to;
  }

  private double[][] given(ChannelMixer part, double[][] x) {
    Matrix y = Matrix.zeros(x.length, WIDTH);
    Arrays.fill(y.data(), Float.NaN);
    part.forward(pass, matrix(x), y);
    double[][] rows = new double[x.length][WIDTH];
    for (int i = 0; i < x.length * WIDTH; i++) {
      rows[i / WIDTH][i % WIDTH] = y.data()[i];
    }
    return rows;
  }

  private static void assertNear(double[][] expected, double[][] found) {
    for (int row = 0; row < expected.length; row++) {
      assertArrayEquals(expected[row], found[row], 1e-5, "row " + row);
    }
  }

  private static double[][] weights(String name, int outputs, int inputs) {
    return rows(name, outputs, inputs, null);
  }

  private static double[] expert(int e, double[] x) {
    double[] gate = times(rows("expert.gate", e, INNER, WIDTH, null), x);
    double[] up = times(rows("expert.up", e, INNER, WIDTH, null), x);
    Arrays.setAll(up, i -> up[i] * gate[i] * sigmoid(gate[i]));
    return times(rows("expert.down", e, WIDTH, INNER, null), up);
  }

  private static double[] softmax(double[] x) {
    double sum = Arrays.stream(x).map(Math::exp).sum();
    return Arrays.stream(x).map(v -> Math.exp(v) / sum).toArray();
  }

  private static List<Integer> best(double[] x, int count) {
    return IntStream.range(0, x.length)
        .boxed()
        .sorted(Comparator.comparing(i -> -x[i]))
        .limit(count)
        .toList();
  }

  /** Three networks, two copies, two constants and a zero expert, and logits that go on. */
  @Test
  void zeroCopyAndConstantExperts() {
    Map<String, Object> settings =
        Map.of(
            "experts",
            3,
            "copyExperts",
            2,
            "constantExperts",
            2,
            "zeroExperts",
            1,
            "top",
            3,
            "normalized",
            false,
            "inner",
            INNER,
            "outBiased",
            true,
            "carried",
            "begins");
    double[][] x = tokens(1);
    pass.begin();
    double[][] y = given(built(new MixtureOfExperts.Type(), settings), x);
    double[][] expected = new double[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      expected[row] = mixed(x[row], times(weights("router", 8, WIDTH), x[row]));
    }
    assertNear(expected, y);
  }

  @Test
  void logitsGoOnFromTheLayerBefore() {
    Map<String, Object> first = Map.of("experts", 8, "top", 1, "inner", INNER, "carried", "begins");
    Map<String, Object> second =
        Map.of(
            "experts",
            3,
            "copyExperts",
            2,
            "constantExperts",
            2,
            "zeroExperts",
            1,
            "top",
            3,
            "normalized",
            false,
            "inner",
            INNER,
            "outBiased",
            true,
            "carried",
            "goes-on");
    double[][] before = tokens(1);
    double[][] x = tokens(2);
    pass.begin();
    given(built(new MixtureOfExperts.Type(), first), before);
    double[][] y = given(built(new MixtureOfExperts.Type(), second), x);
    double[][] expected = new double[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      double[] told = times(weights("router", 8, WIDTH), before[row]);
      double[] added = times(weights("router.carry", 8, 8), told);
      double[] logits = times(weights("router", 8, WIDTH), x[row]);
      Arrays.setAll(logits, i -> logits[i] + added[i]);
      expected[row] = mixed(x[row], logits);
    }
    assertNear(expected, y);
    pass.begin();
    ChannelMixer alone = built(new MixtureOfExperts.Type(), second);
    var e = assertThrows(IllegalStateException.class, () -> given(alone, x));
    assertEquals(
        "a router with carried=goes-on needs one of as many experts in a layer before, with"
            + " carried=begins or goes-on",
        e.getMessage());
  }

  private static double[] mixed(double[] x, double[] logits) {
    double[] p = softmax(logits);
    double[] y = vector("bias", WIDTH, Typical.BIAS);
    for (int e : best(p, 3)) {
      double[] given = new double[WIDTH];
      if (e < 3) {
        given = expert(e, x);
      } else if (e < 5) {
        given = x;
      } else if (e < 7) {
        double[] mix =
            softmax(
                Arrays.copyOfRange(
                    times(weights("constant.mix", 4, WIDTH), x), 2 * e - 10, 2 * e - 8));
        double[] value = rows("constant.value", 2, WIDTH, Typical.BIAS)[e - 5];
        double[] sum = new double[WIDTH];
        Arrays.setAll(sum, i -> mix[0] * x[i] + mix[1] * value[i]);
        given = sum;
      }
      double[] added = given;
      Arrays.setAll(y, i -> y[i] + p[e] * added[i]);
    }
    return y;
  }

  /** The experts of the table's row, each half of what is given; no logits are made. */
  @Test
  void aHashLayer() {
    Map<String, Object> settings =
        Map.of(
            "experts",
            6,
            "top",
            2,
            "inner",
            INNER,
            "score",
            "even",
            "hashed",
            true,
            "vocabulary",
            9);
    ChannelMixer layer = built(new MixtureOfExperts.Type(), settings);
    double[][] table = rows("router.table", 9, 2, new Typical(3, 3, true));
    int[] tokens = IntStream.range(0, ROWS).map(i -> i * 5 % 9).toArray();
    double[][] x = tokens(3);
    pass.begin(tokens);
    double[][] y = given(layer, x);
    double[][] expected = new double[ROWS][WIDTH];
    for (int row = 0; row < ROWS; row++) {
      double[] sum = expected[row];
      for (double e : table[tokens[row]]) {
        double[] given = expert((int) e, x[row]);
        Arrays.setAll(sum, i -> sum[i] + given[i] / 2);
      }
    }
    assertNear(expected, y);
    pass.begin();
    var e = assertThrows(IllegalStateException.class, () -> given(layer, x));
    assertEquals(
        "a part asks for the numbers of the tokens, and these rows are none", e.getMessage());
  }

  /** All pairs of keys are scored, and every expert is asked whose score is among the best. */
  @Test
  void productKeys() {
    for (boolean neurons : new boolean[] {true, false}) {
      Map<String, Object> settings =
          Map.of(
              "keys",
              6,
              "heads",
              2,
              "top",
              4,
              "queryDim",
              8,
              "neurons",
              neurons,
              "norm",
              Map.of("type", "layer", "epsilon", 1e-5, "biased", true));
      double[][] x = tokens(4);
      double[][] expected = new double[ROWS][];
      for (int row = 0; row < ROWS; row++) {
        expected[row] = found(x[row], neurons);
      }
      assertNear(expected, given(built(new ProductKeys.Type(), settings), x));
    }
  }

  private static double[] found(double[] x, boolean neurons) {
    double[] y = new double[WIDTH];
    double[] queries = times(weights("q", 16, WIDTH), x);
    double[] weight = vector("q.norm", 8, Typical.NORM);
    double[] bias = vector("q.norm.bias", 8, Typical.BIAS);
    double[][] in = weights("in", 36, WIDTH);
    double[][] out = weights("out", 36, WIDTH);
    for (int head = 0; head < 2; head++) {
      double[] q = Arrays.copyOfRange(queries, 8 * head, 8 * head + 8);
      double mean = Arrays.stream(q).average().orElseThrow();
      double variance = Arrays.stream(q).map(v -> (v - mean) * (v - mean)).sum() / 8;
      Arrays.setAll(q, i -> (q[i] - mean) / Math.sqrt(variance + 1e-5) * weight[i] + bias[i]);
      double[] first = times(weights("keys.first", 6, 4), Arrays.copyOf(q, 4));
      double[] second = times(weights("keys.second", 6, 4), Arrays.copyOfRange(q, 4, 8));
      double[] scores = new double[36];
      Arrays.setAll(scores, e -> first[e / 6] + second[e % 6]);
      List<Integer> best = best(scores, 4);
      double[] shares = softmax(best.stream().mapToDouble(e -> scores[e]).toArray());
      for (int i = 0; i < 4; i++) {
        int e = best.get(i);
        double dot = IntStream.range(0, WIDTH).mapToDouble(c -> in[e][c] * x[c]).sum();
        double factor = shares[i] * (neurons ? gelu(dot) : 1);
        Arrays.setAll(y, c -> y[c] + factor * out[e][c]);
      }
    }
    return y;
  }

  /** By the Taylor series of the error function, which is enough for small x. */
  private static double gelu(double x) {
    double z = x / Math.sqrt(2);
    double term = z;
    double sum = z;
    for (int n = 1; n < 100; n++) {
      term *= -z * z / n;
      sum += term / (2 * n + 1);
    }
    return x / 2 * (1 + 2 / Math.sqrt(Math.PI) * sum);
  }
}
