package dev.apus.attention.linear;

import static dev.apus.attention.linear.MapFormulas.dot;
import static dev.apus.attention.linear.MapFormulas.dpfp;
import static dev.apus.attention.linear.MapFormulas.joined;
import static dev.apus.attention.linear.MapFormulas.layerNorm;
import static dev.apus.attention.linear.MapFormulas.map;
import static dev.apus.attention.linear.MapFormulas.negative;
import static dev.apus.attention.linear.MapFormulas.plus;
import static dev.apus.attention.linear.MapFormulas.product;
import static dev.apus.attention.linear.MapFormulas.relu;
import static dev.apus.attention.linear.MapFormulas.softmax;
import static dev.apus.attention.linear.MapFormulas.unit;
import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.model.RecurrentState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Linear attention with features against its definition: every token weighs every token before it
 * by the product of their features, or by the function that this product is.
 */
class FeatureMapTest {

  private static final int WIDTH = 9;
  private static final int TOKENS = 41;
  private static final int HEADS = 4;
  private static final int DIM = 5;
  private static final int VALUES = 3;
  private static final double EPSILON = 1e-3;
  private static final int LENGTH = 210;

  /** What a token weighs another one with, from a head's query and key. */
  private interface Weight {
    double of(int head, double[] q, double[] k, int distance);
  }

  private interface Gate {
    double kept(int head, int token);
  }

  /**
   * A case.
   *
   * @param divided whether there is a denominator: not where weights may be negative
   * @param forgetting how fast heads forget
   */
  private record Case(
      Map<String, Object> features,
      int kvHeads,
      boolean divided,
      double forgetting,
      Weight weight) {

    @Override
    public String toString() {
      return features + " kvHeads=" + kvHeads + " forgetting=" + forgetting;
    }

    Map<String, Object> settings() {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("heads", HEADS);
      all.put("kvHeads", kvHeads);
      all.put("keyDim", DIM);
      all.put("valueDim", VALUES);
      all.put("features", features);
      if (divided) {
        all.put("denominator", Map.of("epsilon", epsilon()));
      }
      if (forgetting > 0) {
        all.put("decay", Map.of("rates", "retention", "scale", forgetting));
      }
      return all;
    }

    /** What is added to weights that were divided by the greatest is not what is added to them. */
    double epsilon() {
      return features.get("map").equals("favor") ? 0 : EPSILON;
    }

    MixerBench<RecurrentState> bench() {
      return new MixerBench<>(new LinearAttention.Type(), settings(), WIDTH);
    }

    MixerLaws laws() {
      return new MixerLaws(new LinearAttention.Type(), settings(), WIDTH);
    }

    double[][] exact(double[][] x) {
      return exact(x, null);
    }

    /**
     * @param gate what a head keeps at a token, if it writes the rest; or null
     */
    double[][] exact(double[][] x, Gate gate) {
      double[][] q = all("q", HEADS * DIM, x);
      double[][] k = all("k", kvHeads * DIM, x);
      double[][] v = all("v", kvHeads * VALUES, x);
      double[][] o = new double[x.length][HEADS * VALUES];
      for (int head = 0; head < HEADS; head++) {
        int kvHead = head / (HEADS / kvHeads);
        for (int t = 0; t < x.length; t++) {
          double sum = epsilon();
          for (int s = 0; s <= t; s++) {
            double w = weight.of(head, part(q[t], head, DIM), part(k[s], kvHead, DIM), t - s);
            w *= Math.pow(1 - Math.pow(2, -5 - head), forgetting * (t - s));
            if (gate != null) {
              w *= 1 - gate.kept(head, s);
              for (int i = s + 1; i <= t; i++) {
                w *= gate.kept(head, i);
              }
            }
            sum += w;
            for (int j = 0; j < VALUES; j++) {
              o[t][head * VALUES + j] += w * v[s][kvHead * VALUES + j];
            }
          }
          for (int j = 0; divided && j < VALUES; j++) {
            o[t][head * VALUES + j] /= sum;
          }
        }
      }
      double[][] output = matrix("o", WIDTH, HEADS * VALUES);
      return Arrays.stream(o).map(row -> times(output, row)).toArray(double[][]::new);
    }
  }

  private static double[][] all(String name, int outputs, double[][] x) {
    double[][] weights = matrix(name, outputs, WIDTH);
    return Arrays.stream(x).map(row -> times(weights, row)).toArray(double[][]::new);
  }

  private static double[] part(double[] row, int head, int dim) {
    return Arrays.copyOfRange(row, head * dim, (head + 1) * dim);
  }

  private static Weight features(UnaryOperator<double[]> phi) {
    return features(phi, phi);
  }

  private static Weight features(
      UnaryOperator<double[]> ofQueries, UnaryOperator<double[]> ofKeys) {
    return (head, q, k, distance) -> dot(ofQueries.apply(q), ofKeys.apply(k));
  }

  private static double[] learned(String name, int size, double[] x, boolean biased) {
    double[] y = times(matrix(name, size, DIM), x);
    return biased ? plus(y, vector(name + ".bias", size, Typical.BIAS)) : y;
  }

  /** The mean over all directions of what is made of two vectors along each. */
  private static double along(float[] directions, double[] a, double[] b, DoubleBinaryOperator f) {
    int count = directions.length / DIM;
    double sum = 0;
    for (int i = 0; i < count; i++) {
      double[] direction = new double[DIM];
      for (int d = 0; d < DIM; d++) {
        direction[d] = directions[i * DIM + d];
      }
      sum += f.applyAsDouble(dot(direction, a), dot(direction, b)) / count;
    }
    return sum;
  }

  private static Case plain(Map<String, Object> features, boolean divided, Weight weight) {
    return new Case(features, HEADS, divided, 0, weight);
  }

  /** Random Feature Attention's gate: each head keeps a mean of what it has seen. */
  @Test
  void whatIsWrittenMayBeWhatAGateLeaves() {
    Case one = plain(Map.of("map", "elu"), true, features(MapFormulas::elu));
    Map<String, Object> settings = one.settings();
    settings.put("decay", Map.of("gate", "head", "biased", true, "rest", true));
    try (var bench = new MixerBench<RecurrentState>(new LinearAttention.Type(), settings, WIDTH)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] logits = all("decay", HEADS, x);
      double[] bias = vector("decay.bias", HEADS, Typical.BIAS);
      Gate gate = (head, t) -> MixerBench.sigmoid(logits[t][head] + bias[head]);
      new MixerLaws(new LinearAttention.Type(), settings, WIDTH)
          .aSequenceIs(one.exact(x, gate), x, 1e-4);
    }
  }

  static Stream<Case> cases() {
    double root = Math.sqrt(DIM);
    return Stream.of(
        plain(Map.of("map", "elu"), true, features(MapFormulas::elu)),
        new Case(Map.of("map", "elu"), 2, true, 0, features(MapFormulas::elu)),
        new Case(Map.of("map", "elu"), 1, true, 3, features(MapFormulas::elu)),
        plain(Map.of("map", "relu"), true, features(MapFormulas::relu)),
        plain(Map.of("map", "softmax"), true, features(MapFormulas::softmax)),
        plain(
            Map.of("map", "relu", "queriesSumToOne", true, "keysSumToOne", true),
            false,
            features(
                x -> {
                  double sum = Arrays.stream(relu(x)).sum() + 1e-4;
                  return map(relu(x), value -> value / sum);
                })),
        plain(
            Map.of("map", "t2r", "size", 7),
            true,
            features(
                q -> relu(learned("q.features", 7, q, false)),
                k -> relu(learned("k.features", 7, k, false)))),
        plain(
            Map.of("map", "product", "biased", true, "tied", true),
            false,
            features(
                x ->
                    product(
                        learned("features", DIM, x, true),
                        learned("features.other", DIM, x, true)))),
        plain(
            Map.of("map", "hedgehog", "tied", true),
            true,
            features(
                x -> {
                  double[] y = learned("features", DIM, x, false);
                  return joined(softmax(y), softmax(negative(y)));
                })),
        plain(
            Map.of("map", "hedgehog-joint", "biased", true),
            true,
            features(q -> joint("q.features", q), k -> joint("k.features", k))),
        new Case(
            Map.of("map", "hedgehog", "size", 3, "eachHead", true),
            2,
            true,
            0,
            (head, q, k, distance) -> dot(ofHead("q", head, q), ofHead("k", head, k))),
        plain(
            Map.of("map", "dpfp", "turns", 3),
            true,
            features(x -> dpfp(joined(relu(x), relu(negative(x))), 3))),
        plain(
            Map.of("map", "dpfp-signed"),
            false,
            features(x -> dpfp(joined(relu(x), negative(relu(x))), 4))),
        plain(
            Map.of("map", "taylor"),
            true,
            (head, q, k, distance) -> 1 + dot(q, k) / root + Math.pow(dot(q, k) / root, 2) / 2),
        plain(
            Map.of("map", "squared", "scale", 0.7),
            true,
            (head, q, k, distance) -> Math.pow(0.7 * dot(q, k), 2)),
        plain(
            Map.of(
                "map",
                "squared",
                "tied",
                true,
                "norm",
                Map.of("type", "layer", "epsilon", 1e-2, "biased", true)),
            true,
            (head, q, k, distance) ->
                Math.pow(dot(layerNorm(q, 1e-2), layerNorm(k, 1e-2)) / root, 2)),
        plain(
            Map.of("map", "cosformer", "length", LENGTH),
            true,
            (head, q, k, distance) ->
                dot(relu(q), relu(k)) * Math.cos(Math.PI / 2 * distance / LENGTH)),
        new Case(
            Map.of("map", "favor", "size", 12, "seed", 3),
            2,
            true,
            0,
            favor(RandomDirections.orthogonal(12, DIM, 3), 1 / root)),
        new Case(
            Map.of("map", "favor", "size", 8, "orthogonal", false, "scale", 30),
            HEADS,
            true,
            2,
            favor(RandomDirections.independent(8, DIM, 0), 30)),
        plain(
            Map.of("map", "fourier", "size", 40, "orthogonal", false),
            false,
            (head, q, k, distance) ->
                along(
                    RandomDirections.independent(40, DIM, 0),
                    unit(q),
                    unit(k),
                    (a, b) -> Math.cos(a - b))),
        plain(
            Map.of("map", "fourier", "size", 6, "weighted", true),
            false,
            (head, q, k, distance) ->
                along(
                    RandomDirections.orthogonal(6, DIM, 0),
                    product(
                        unit(q),
                        part(vector("q.features.weight", HEADS * DIM, Typical.NORM), head, DIM)),
                    product(
                        unit(k),
                        part(vector("k.features.weight", HEADS * DIM, Typical.NORM), head, DIM)),
                    (a, b) -> Math.cos(a - b))));
  }

  private static double[] joint(String name, double[] x) {
    double[] y = map(learned(name, DIM, x, true), value -> 2 * value);
    return softmax(joined(y, negative(y)));
  }

  private static double[] ofHead(String side, int head, double[] x) {
    double[][] weights = matrix(side + ".features", HEADS * 3, DIM);
    double[] y = times(Arrays.copyOfRange(weights, head * 3, head * 3 + 3), x);
    return joined(softmax(y), softmax(negative(y)));
  }

  private static Weight favor(float[] directions, double scale) {
    return (head, q, k, distance) -> {
      double squares = scale * (dot(q, q) + dot(k, k)) / 2;
      double root = Math.sqrt(scale);
      return along(directions, q, k, (a, b) -> Math.exp(root * (a + b) - squares));
    };
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void everyTokenWeighsAllBeforeIt(Case one) {
    try (var bench = one.bench()) {
      double[][] x = bench.tokens(TOKENS, 5);
      one.laws().aSequenceIs(one.exact(x), x, 1e-4);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void theLawsOfMixersHold(Case one) throws IOException {
    one.laws().hold();
  }

  @Test
  void randomDirectionsAreOrthogonalWithinTheirBlocks() {
    float[] all = RandomDirections.orthogonal(11, DIM, 4);
    for (int i = 0; i < 11; i++) {
      for (int j = i / DIM * DIM; j < i; j++) {
        assertEquals(0, scalarProduct(all, i, j), 1e-5);
      }
      assertTrue(scalarProduct(all, i, i) > 0.01, "a direction of some length");
    }
    assertTrue(Math.abs(scalarProduct(all, 0, DIM)) > 1e-3, "blocks are independent");
  }

  private static double scalarProduct(float[] all, int i, int j) {
    double sum = 0;
    for (int d = 0; d < DIM; d++) {
      sum += (double) all[i * DIM + d] * all[j * DIM + d];
    }
    return sum;
  }

  @Test
  void cosFormerTellsNoMoreTokensApartThanItsLength() {
    Case one =
        plain(Map.of("map", "cosformer", "length", 7), true, (head, q, k, distance) -> distance);
    try (var bench = one.bench()) {
      bench.state(7).close();
      assertThrows(IllegalArgumentException.class, () -> bench.state(8));
    }
  }
}
