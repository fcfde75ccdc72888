package dev.apus.attention.linear;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.attention.linear.FeatureMap.Features;
import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * How far products of random features are from what they stand for, against what follows from the
 * distribution of the directions. All seeds are fixed.
 *
 * <p>Each of m independent directions gives a product with the right mean, so that the mean squared
 * error is the variance of one divided by m:
 *
 * <pre>
 *   positive:  e^(q·k)² (e^‖q + k‖² − 1) / m         of e^(ω·q − ½‖q‖²) e^(ω·k − ½‖k‖²)
 *   Fourier:   ½ (1 − e^−‖q − k‖²)² / m              of cos ω·(q − k)
 * </pre>
 *
 * <p>Orthogonal directions have no larger error.
 */
class RandomFeaturesTest {

  private static final int DIM = 8;
  private static final int PAIRS = 12;
  private static final int SEEDS = 160;

  private static double[] vector(SplittableRandom random, double length) {
    double[] x = random.doubles(DIM, -1, 1).toArray();
    double factor = length / Math.sqrt(dot(x, x));
    for (int d = 0; d < DIM; d++) {
      x[d] = (float) (x[d] * factor);
    }
    return x;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int d = 0; d < DIM; d++) {
      sum += a[d] * b[d];
    }
    return sum;
  }

  private static double squares(double[] a, double[] b, int sign) {
    double sum = 0;
    for (int d = 0; d < DIM; d++) {
      sum += (a[d] + sign * b[d]) * (a[d] + sign * b[d]);
    }
    return sum;
  }

  /**
   * The mean squared error over all pairs and seeds, divided by what is expected of m directions.
   */
  private static double error(String map, int directions, boolean orthogonal) {
    boolean positive = map.equals("favor");
    var random = new SplittableRandom(7);
    double[][] vectors = new double[2 * PAIRS][];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = vector(random, positive ? 0.6 : 1);
    }
    double expected = 0;
    double found = 0;
    try (Workers workers = Workers.of(1);
        Arena arena = Arena.ofShared()) {
      var weights =
          new Weights(new RandomWeights(1, WeightFormat.F32), Kernels.chosen(), workers, arena);
      var pass = new Pass(workers, Kernels.chosen());
      for (int seed = 0; seed < SEEDS; seed++) {
        Map<String, Object> settings =
            positive
                ? Map.of(
                    "map",
                    map,
                    "size",
                    directions,
                    "seed",
                    seed,
                    "orthogonal",
                    orthogonal,
                    "scale",
                    1)
                : Map.of("map", map, "size", directions, "seed", seed, "orthogonal", orthogonal);
        FeatureMap features =
            FeatureSpec.read(Config.of("features", settings), DIM, 100)
                .ofQueries(1, DIM, weights.root());
        double[] products = products(pass, features, vectors);
        for (int i = 0; i < PAIRS; i++) {
          double[] q = vectors[2 * i];
          double[] k = vectors[2 * i + 1];
          double exact = positive ? Math.exp(dot(q, k)) : Math.exp(-squares(q, k, -1) / 2);
          found += Math.pow(products[i] - exact, 2);
          expected +=
              positive
                  ? exact * exact * Math.expm1(squares(q, k, 1)) / directions
                  : Math.pow(1 - exact * exact, 2) / 2 / directions;
        }
      }
    }
    return found / expected;
  }

  private static double[] products(Pass pass, FeatureMap map, double[][] vectors) {
    Matrix x = Matrix.zeros(vectors.length, DIM);
    for (int row = 0; row < vectors.length; row++) {
      for (int d = 0; d < DIM; d++) {
        x.data()[x.at(row) + d] = (float) vectors[row][d];
      }
    }
    double[] products = new double[PAIRS];
    try (Pass.Frame frame = pass.frame()) {
      Features phi = map.apply(pass, frame, Batch.of(null, x.rows(), 0), x);
      float[] y = phi.values().data();
      for (int i = 0; i < PAIRS; i++) {
        double sum = 0;
        for (int j = 0; j < map.features(); j++) {
          sum += (double) y[phi.values().at(2 * i) + j] * y[phi.values().at(2 * i + 1) + j];
        }
        if (phi.logarithms() != null) {
          float[] logarithms = phi.logarithms().data();
          sum *= Math.exp(logarithms[2 * i] + logarithms[2 * i + 1]);
        }
        products[i] = sum;
      }
    }
    return products;
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 64, 256, 1024})
  void independentDirectionsHaveTheVarianceThatFollows(int directions) {
    // Some thousand squared errors, a dozen of them of the same directions: within a fifth.
    assertEquals(1, error("favor", directions, false), 0.2);
    assertEquals(1, error("fourier", directions, false), 0.2);
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 64, 256, 1024})
  void orthogonalDirectionsAreNearer(int directions) {
    assertTrue(error("favor", directions, true) < 1);
    assertTrue(error("fourier", directions, true) < 0.5);
  }
}
