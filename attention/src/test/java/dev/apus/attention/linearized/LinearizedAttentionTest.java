package dev.apus.attention.linearized;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Linearised attention against its definition over all pairs of tokens, and the laws. */
class LinearizedAttentionTest {

  private static final int WIDTH = 9;
  private static final int HEADS = 4;
  private static final int KV_HEADS = 2;
  private static final int DIM = 6;
  private static final int SIZE = 5;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(
            Map.of("heads", HEADS, "kvHeads", KV_HEADS, "headDim", DIM, "rope", Map.of()));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  private static Map<String, Object> joined(int window, boolean affine) {
    return with(
        "window", window,
        "affine", affine,
        "features", Map.of("map", "hedgehog", "size", SIZE, "eachHead", true));
  }

  private static Map<String, Object> sum(int window, int root) {
    return with(
        "window",
        window,
        "join",
        "sum",
        "share",
        0.4,
        "decayRoot",
        root,
        "features",
        Map.of("map", "softmax"));
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        joined(1, false), joined(7, true), joined(64, false), sum(5, 16), sum(70, 3), sum(8, 0));
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new LinearizedAttention.Type(), settings, WIDTH);
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new LinearizedAttention.Type(), settings, WIDTH);
  }

  /** What one token knows of another. */
  private record Pair(int head, double[] q, double[] k, double[] turnedQ, double[] turnedK) {}

  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    var s = LinearizedSpec.read(Config.of("exact", settings), MixerBench.LIMIT);
    double[][] q = all("q", HEADS * DIM, x);
    double[][] k = all("k", KV_HEADS * DIM, x);
    double[][] v = all("v", KV_HEADS * DIM, x);
    double[][] o = new double[x.length][HEADS * DIM];
    for (int head = 0; head < HEADS; head++) {
      int kvHead = head / (HEADS / KV_HEADS);
      for (int t = 0; t < x.length; t++) {
        double[] near = new double[t + 1];
        double[] far = new double[t + 1];
        double[] kept = new double[DIM];
        Arrays.fill(kept, 1);
        double[] ownQ = part(q[t], head);
        for (int i = t; i >= 0; i--) {
          double[] ownK = part(k[i], kvHead);
          var pair = new Pair(head, ownQ, ownK, turned(ownQ, t), turned(ownK, i));
          boolean seen = i > t - s.window();
          near[i] = seen ? dot(pair.turnedQ, pair.turnedK) / Math.sqrt(DIM) : -1e300;
          far[i] = s.isJoined() ? seen ? 0 : hedgehog(pair) : gated(pair, kept);
          for (int d = 0; s.root() > 0 && d < DIM; d++) {
            kept[d] *= Math.pow(sigmoid(ownK[d]), 1.0 / s.root());
          }
        }
        double most = Arrays.stream(near).max().orElseThrow();
        near = map(near, value -> Math.exp(value - most));
        double[] weights = s.isJoined() ? joint(s, head, near, far) : sum(s, near, far);
        for (int i = 0; i <= t; i++) {
          for (int d = 0; d < DIM; d++) {
            o[t][head * DIM + d] += weights[i] * v[i][kvHead * DIM + d];
          }
        }
      }
    }
    double[][] output = matrix("o", WIDTH, HEADS * DIM);
    return Arrays.stream(o).map(row -> times(output, row)).toArray(double[][]::new);
  }

  private static double[] joint(LinearizedSpec s, int head, double[] near, double[] far) {
    double gamma = sigmoid(vector("mix", HEADS, new Typical(-1, 1))[head]);
    double lambda = s.affine() ? 1 - gamma : 1;
    double[] weights = near.clone();
    Arrays.setAll(weights, i -> gamma * near[i] + lambda * far[i]);
    double all = Arrays.stream(weights).sum();
    return map(weights, value -> value / all);
  }

  private static double[] sum(LinearizedSpec s, double[] near, double[] far) {
    double all = Arrays.stream(near).sum();
    double[] weights = near.clone();
    Arrays.setAll(weights, i -> s.share() * near[i] / all + (1 - s.share()) * far[i]);
    return weights;
  }

  private static double gated(Pair pair, double[] kept) {
    double[] k = softmax(pair.k);
    Arrays.setAll(k, d -> k[d] * kept[d]);
    return dot(softmax(pair.q), k);
  }

  private static double hedgehog(Pair pair) {
    double[] q = times(ofHead("q", pair.head), pair.turnedQ);
    double[] k = times(ofHead("k", pair.head), pair.turnedK);
    return dot(softmax(q), softmax(k))
        + dot(softmax(map(q, value -> -value)), softmax(map(k, value -> -value)));
  }

  private static double[][] ofHead(String side, int head) {
    double[][] weights = matrix(side + ".features", HEADS * SIZE, DIM);
    return Arrays.copyOfRange(weights, head * SIZE, (head + 1) * SIZE);
  }

  private static double[] turned(double[] x, int position) {
    double[] y = x.clone();
    for (int i = 0; i < DIM / 2; i++) {
      double angle = position * Math.pow(10_000, -2.0 * i / DIM);
      double a = x[i];
      double b = x[i + DIM / 2];
      y[i] = a * Math.cos(angle) - b * Math.sin(angle);
      y[i + DIM / 2] = b * Math.cos(angle) + a * Math.sin(angle);
    }
    return y;
  }

  private static double[][] all(String name, int outputs, double[][] x) {
    double[][] weights = matrix(name, outputs, WIDTH);
    return Arrays.stream(x).map(row -> times(weights, row)).toArray(double[][]::new);
  }

  private static double[] part(double[] row, int head) {
    return Arrays.copyOfRange(row, head * DIM, (head + 1) * DIM);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double[] map(double[] x, DoubleUnaryOperator f) {
    return Arrays.stream(x).map(f).toArray();
  }

  private static double[] softmax(double[] x) {
    double[] e = map(x, Math::exp);
    double sum = Arrays.stream(e).sum();
    return map(e, value -> value / sum);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void everyTokenWeighsAllBeforeIt(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(41, 5);
      laws(settings).aSequenceIs(exact(settings, x), x, 1e-4);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  /** So that blocks of the cache are dropped, in the middle of runs and between them. */
  @Test
  void aLongSequenceIsWhatItsDefinitionSays() {
    Map<String, Object> settings = joined(64, false);
    try (var bench = bench(settings);
        var other = bench(settings)) {
      double[][] x = bench.tokens(MixerBench.LIMIT, 6);
      double[][] exact = exact(settings, x);
      float[][] whole = bench.run(bench.state(), x, 0);
      RecurrentState state = other.state();
      for (int from = 0; from < x.length; from += 3) {
        int to = Math.min(x.length, from + 3);
        float[][] piece = other.run(state, Arrays.copyOfRange(x, from, to), from);
        for (int t = from; t < to; t++) {
          for (int i = 0; i < WIDTH; i++) {
            assertEquals(exact[t][i], whole[t][i], 1e-4, "token " + t);
            assertEquals(exact[t][i], piece[t - from][i], 1e-4, "token " + t);
          }
        }
      }
    }
  }

  static Stream<Arguments> refusals() {
    Map<String, Object> elu = Map.of("map", "elu");
    return Stream.of(
        of(
            with("window", 4, "features", elu, "kvHeads", 3),
            "heads=4 is not divisible by kvHeads=3"),
        of(
            with("window", 4, "join", "sum", "decayRoot", 16, "features", Map.of("map", "taylor")),
            "decayRoot=16 needs as many features as a key has values, 6; found 28"),
        of(
            with("window", 1 << 28, "features", elu),
            "heads=4 of 6 features, headDim=6 and window=268435456 are more than 2^31 − 1 values"),
        of(
            with("window", 4, "features", Map.of("map", "favor", "size", 3)),
            "features of map=\"favor\" are kept divided, and cannot be joined here"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> LinearizedSpec.read(Config.of("layer 0 mixer", settings), 100));
    assertEquals("layer 0 mixer: " + message, e.getMessage());
  }
}
