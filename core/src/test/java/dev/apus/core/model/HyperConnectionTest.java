package dev.apus.core.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.core.weight.WeightSource.Key;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hyper-connections against their formula in double precision. */
class HyperConnectionTest {

  private static final int ROWS = 7;
  private static final int WIDTH = 13;

  private static final RandomWeights SOURCE = new RandomWeights(9, WeightFormat.F32);

  private static double[] weight(String name, int rows, int cols, Typical typical) {
    float[] values = SOURCE.find(new Key(name, -1, -1), rows, cols, typical).decode();
    double[] result = new double[values.length];
    Arrays.setAll(result, i -> values[i]);
    return result;
  }

  private static Matrix random(int cols, long seed) {
    var random = new SplittableRandom(seed);
    Matrix x = Matrix.zeros(ROWS, cols);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** What a step reads of some streams, and the streams after it gave {@code y}. */
  private record Joined(Matrix x, Matrix streams) {}

  private static Joined joined(HyperSpec spec, boolean end, Kernels kernels, int threads) {
    try (Workers workers = Workers.of(threads);
        Arena arena = Arena.ofShared()) {
      var weights = new Weights(SOURCE, kernels, workers, arena);
      HyperConnection connection =
          end
              ? HyperConnection.ofEnd(spec, "hyper", WIDTH, weights.root())
              : HyperConnection.of(spec, "hyper", WIDTH, weights.root());
      Pass pass = new Pass(workers, kernels);
      Matrix streams = random(spec.rate() * WIDTH, 1);
      Matrix x = Matrix.zeros(ROWS, WIDTH);
      Matrix made = Matrix.zeros(ROWS, connection.cols());
      connection.read(pass, streams, made, x);
      if (!end) {
        connection.write(pass, made, random(WIDTH, 2), streams);
      }
      return new Joined(x, streams);
    }
  }

  @ParameterizedTest
  @CsvSource({"4, 20, 1e-6", "4, 1, 1e-6", "1, 3, 0.01", "5, 2, 0.1", "2, 7, 0"})
  void aStepIsJoinedByTheFormula(int n, int iterations, double epsilon) {
    var spec = new HyperSpec(n, iterations, epsilon, 1e-5, false);
    Joined joined = joined(spec, false, Kernels.chosen(), 2);
    int cols = n * (n + 2);
    double[] maps = weight("hyper", cols, n * WIDTH, null);
    double[] bias = weight("hyper.bias", 1, cols, Typical.BIAS);
    double[] scale = weight("hyper.scale", 1, 3, Typical.NORM);
    Matrix before = random(n * WIDTH, 1);
    Matrix y = random(WIDTH, 2);
    for (int row = 0; row < ROWS; row++) {
      double[] made = made(before, row, maps, cols);
      double[] read = new double[WIDTH];
      double[][] mix = new double[n][n];
      for (int i = 0; i < n; i++) {
        double a = sigmoid(scale[0] * made[i] + bias[i]) + epsilon;
        for (int d = 0; d < WIDTH; d++) {
          read[d] += a * before.data()[before.at(row) + i * WIDTH + d];
        }
        double sum = 0;
        for (int j = 0; j < n; j++) {
          int at = 2 * n + i * n + j;
          mix[i][j] = Math.exp(scale[2] * made[at] + bias[at]);
          sum += mix[i][j];
        }
        for (int j = 0; j < n; j++) {
          mix[i][j] = mix[i][j] / sum + epsilon;
        }
      }
      normalize(mix, iterations, epsilon);
      assertNear(read, joined.x, row);
      double[] after = new double[n * WIDTH];
      for (int j = 0; j < n; j++) {
        double b = 2 * sigmoid(scale[1] * made[n + j] + bias[n + j]);
        for (int d = 0; d < WIDTH; d++) {
          after[j * WIDTH + d] = b * y.data()[y.at(row) + d];
          for (int i = 0; i < n; i++) {
            after[j * WIDTH + d] += mix[i][j] * before.data()[before.at(row) + i * WIDTH + d];
          }
        }
      }
      assertNear(after, joined.streams, row);
    }
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** {@code W rms(x)}. */
  private static double[] made(Matrix x, int row, double[] maps, int cols) {
    double squares = 0;
    for (int i = 0; i < x.cols(); i++) {
      squares += Math.pow(x.data()[x.at(row) + i], 2);
    }
    double root = Math.sqrt(squares / x.cols() + 1e-5);
    double[] made = new double[cols];
    for (int i = 0; i < maps.length; i++) {
      made[i / x.cols()] += maps[i] * x.data()[x.at(row) + i % x.cols()] / root;
    }
    return made;
  }

  private static void normalize(double[][] m, int iterations, double epsilon) {
    for (int again = 0; again < iterations; again++) {
      for (int i = 0; again > 0 && i < m.length; i++) {
        double sum = Arrays.stream(m[i]).sum() + epsilon;
        double[] line = m[i];
        Arrays.setAll(line, j -> line[j] / sum);
      }
      for (int j = 0; j < m.length; j++) {
        double sum = epsilon;
        for (double[] line : m) {
          sum += line[j];
        }
        for (double[] line : m) {
          line[j] /= sum;
        }
      }
    }
  }

  private static void assertNear(double[] expected, Matrix actual, int row) {
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual.data()[actual.at(row) + i], 3e-6, "row " + row);
    }
  }

  @Test
  void streamsEndAsALearnedSumOrAsTheirMean() {
    int n = 3;
    Matrix streams = random(n * WIDTH, 1);
    double[] maps = weight("hyper", n, n * WIDTH, null);
    double[] bias = weight("hyper.bias", 1, n, Typical.BIAS);
    double scale = weight("hyper.scale", 1, 1, Typical.NORM)[0];
    Matrix learned = joined(new HyperSpec(n, 1, 0.01, 1e-5, false), true, Kernels.chosen(), 2).x;
    Matrix mean = joined(new HyperSpec(n, 1, 0.01, 1e-5, true), true, Kernels.chosen(), 2).x;
    for (int row = 0; row < ROWS; row++) {
      double[] made = made(streams, row, maps, n);
      double[] sum = new double[WIDTH];
      double[] even = new double[WIDTH];
      for (int i = 0; i < n; i++) {
        for (int d = 0; d < WIDTH; d++) {
          double value = streams.data()[streams.at(row) + i * WIDTH + d];
          sum[d] += (sigmoid(scale * made[i] + bias[i]) + 0.01) * value;
          even[d] += value / n;
        }
      }
      assertNear(sum, learned, row);
      assertNear(even, mean, row);
    }
  }

  @Test
  void kernelsAndThreadsDoNotShow() {
    var spec = new HyperSpec(4, 20, 1e-6, 1e-6, false);
    Joined scalar = joined(spec, false, Kernels.scalar(), 1);
    for (int threads : new int[] {1, 3}) {
      Joined other = joined(spec, false, Kernels.chosen(), threads);
      assertArrayEquals(scalar.x.data(), other.x.data());
      assertArrayEquals(scalar.streams.data(), other.streams.data());
    }
  }

  /** Mixing keeps the sum of all streams, up to what the normalisation leaves. */
  @Test
  void theMatrixIsNearlyDoublyStochastic() {
    var spec = new HyperSpec(4, 40, 0, 1e-6, false);
    Matrix before = random(4 * WIDTH, 1);
    Matrix y = random(WIDTH, 2);
    Matrix after = joined(spec, false, Kernels.chosen(), 1).streams;
    double[] bias = weight("hyper.bias", 1, 24, Typical.BIAS);
    double[] scale = weight("hyper.scale", 1, 3, Typical.NORM);
    double[] maps = weight("hyper", 24, 4 * WIDTH, null);
    for (int row = 0; row < ROWS; row++) {
      double[] made = made(before, row, maps, 24);
      double given = 0;
      for (int j = 4; j < 8; j++) {
        given += 2 * sigmoid(scale[1] * made[j] + bias[j]);
      }
      for (int d = 0; d < WIDTH; d++) {
        double sum = -given * y.data()[y.at(row) + d];
        for (int i = 0; i < 4; i++) {
          sum += after.data()[after.at(row) + i * WIDTH + d];
          sum -= before.data()[before.at(row) + i * WIDTH + d];
        }
        assertTrue(Math.abs(sum) < 1e-4, "row " + row);
      }
    }
  }
}
