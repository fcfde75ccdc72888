package dev.apus.kernels.norm;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NormsTest {

  private static final int GROUPS = 3;
  private static final float EPSILON = 1e-5f;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100})
  void agreesWithTheDefinition(int size) {
    Norms scalar = Kernels.scalar().norms();
    Norms vector = VectorApi.kernels().norms();
    var random = new SplittableRandom(size);
    int count = GROUPS * size;
    float[] x = Guarded.normal(random, count);
    float[] w = weights(random, count);
    float[] b = weights(random, count);
    float[] expected = Guarded.poisoned(count);
    float[] actual = Guarded.poisoned(count);
    for (int stride : new int[] {0, size}) {
      scalar.rms(x, AT, GROUPS, size, w, stride, EPSILON, expected, AT);
      vector.rms(x, AT, GROUPS, size, w, stride, EPSILON, actual, AT);
      assertSameBits(expected, actual, "rms");
      scalar.layer(x, AT, GROUPS, size, w, b, stride, EPSILON, expected, AT);
      vector.layer(x, AT, GROUPS, size, w, b, stride, EPSILON, actual, AT);
      assertSameBits(expected, actual, "layer");
    }
    scalar.rms(x, AT, GROUPS, size, null, 0, EPSILON, expected, AT);
    vector.rms(x, AT, GROUPS, size, null, 0, EPSILON, actual, AT);
    assertSameBits(expected, actual, "rms without weight");
    scalar.layer(x, AT, GROUPS, size, null, b, 0, EPSILON, expected, AT);
    vector.layer(x, AT, GROUPS, size, null, b, 0, EPSILON, actual, AT);
    assertSameBits(expected, actual, "layer without weight");
    scalar.l2(x, AT, GROUPS, size, 0.25f, EPSILON, expected, AT);
    vector.l2(x, AT, GROUPS, size, 0.25f, EPSILON, actual, AT);
    assertSameBits(expected, actual, "l2");
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void followsTheFormulas(Kernels kernels) {
    Norms norms = kernels.norms();
    int size = 100;
    var random = new SplittableRandom(7);
    float[] x = Guarded.normal(random, GROUPS * size);
    float[] w = weights(random, size);
    float[] b = weights(random, size);
    float[] rms = Guarded.poisoned(GROUPS * size);
    float[] layer = Guarded.poisoned(GROUPS * size);
    float[] l2 = Guarded.poisoned(GROUPS * size);
    norms.rms(x, AT, GROUPS, size, w, 0, EPSILON, rms, AT);
    norms.layer(x, AT, GROUPS, size, w, b, 0, EPSILON, layer, AT);
    norms.l2(x, AT, GROUPS, size, 0.5f, EPSILON, l2, AT);
    assertGuardsHold(rms);
    assertGuardsHold(layer);
    assertGuardsHold(l2);
    for (int g = 0; g < GROUPS; g++) {
      double sum = 0;
      double squares = 0;
      for (int i = AT + g * size; i < AT + (g + 1) * size; i++) {
        sum += x[i];
        squares += (double) x[i] * x[i];
      }
      double mean = sum / size;
      double variance = squares / size - mean * mean;
      for (int i = 0; i < size; i++) {
        int at = AT + g * size + i;
        // Sums of 100 terms and a handful of roundings, on results no larger than about 10.
        double tolerance = 5e-6;
        assertEquals(x[at] / Math.sqrt(squares / size + EPSILON) * w[i], rms[at], tolerance);
        assertEquals(
            (x[at] - mean) / Math.sqrt(variance + EPSILON) * w[i] + b[i], layer[at], tolerance);
        assertEquals(x[at] / Math.sqrt(squares + EPSILON) * 0.5, l2[at], tolerance);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100})
  void gradientsAgreeWithTheDefinition(int size) {
    var random = new SplittableRandom(size);
    float[] x = Guarded.normal(random, size);
    float[] w = weights(random, size);
    float[] expected = Guarded.normal(random, size);
    float[] actual = expected.clone();
    float[] same = x.clone();
    Kernels.scalar().norms().layerBack(x, AT, size, w, EPSILON, expected, AT);
    VectorApi.kernels().norms().layerBack(same, AT, size, w, EPSILON, actual, AT);
    assertSameBits(x, same, "normalised");
    assertSameBits(expected, actual, "gradients");
    assertGuardsHold(actual);
  }

  /** A step in any one input changes Σ g · layer(x) by the gradient there. */
  @ParameterizedTest
  @ValueSource(ints = {2, 5, 33})
  void gradientsAreThoseOfTheLayerNorm(int size) {
    var random = new SplittableRandom(size);
    float[] x = Guarded.normal(random, size);
    float[] w = weights(random, size);
    float[] g = Guarded.normal(random, size);
    float[] gradient = g.clone();
    Kernels.scalar().norms().layerBack(x.clone(), AT, size, w, EPSILON, gradient, AT);
    double step = 1e-5;
    for (int i = 0; i < size; i++) {
      double rise = weighted(x, w, g, size, i, step) - weighted(x, w, g, size, i, -step);
      assertEquals(rise / (2 * step), gradient[AT + i], 2e-5);
    }
  }

  /** {@code Σ g · layer(x)}, one value of x moved. */
  private static double weighted(float[] x, float[] w, float[] g, int size, int i, double step) {
    double[] moved = new double[size];
    Arrays.setAll(moved, j -> x[AT + j] + (i == j ? step : 0));
    double mean = Arrays.stream(moved).average().orElseThrow();
    double variance = Arrays.stream(moved).map(v -> (v - mean) * (v - mean)).sum() / size;
    double sum = 0;
    for (int j = 0; j < size; j++) {
      sum += g[AT + j] * w[j] * (moved[j] - mean) / Math.sqrt(variance + EPSILON);
    }
    return sum;
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void worksInPlace(Kernels kernels) {
    Norms norms = kernels.norms();
    int size = 33;
    float[] x = Guarded.normal(new SplittableRandom(9), GROUPS * size);
    float[] apart = Guarded.poisoned(GROUPS * size);
    float[] inPlace = x.clone();
    norms.rms(x, AT, GROUPS, size, null, 0, EPSILON, apart, AT);
    norms.rms(inPlace, AT, GROUPS, size, null, 0, EPSILON, inPlace, AT);
    assertSameBits(apart, inPlace, "rms");
    inPlace = x.clone();
    norms.layer(x, AT, GROUPS, size, null, null, 0, EPSILON, apart, AT);
    norms.layer(inPlace, AT, GROUPS, size, null, null, 0, EPSILON, inPlace, AT);
    assertSameBits(apart, inPlace, "layer");
    inPlace = x.clone();
    norms.l2(x, AT, GROUPS, size, 1, EPSILON, apart, AT);
    norms.l2(inPlace, AT, GROUPS, size, 1, EPSILON, inPlace, AT);
    assertSameBits(apart, inPlace, "l2");
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aRowOfZerosStaysZero(Kernels kernels) {
    float[] zeros = Guarded.poisoned(17);
    Arrays.fill(zeros, AT, AT + 17, 0);
    float[] y = Guarded.poisoned(17);
    kernels.norms().rms(zeros, AT, 1, 17, null, 0, EPSILON, y, AT);
    assertSameBits(zeros, y, "rms");
    kernels.norms().layer(zeros, AT, 1, 17, null, null, 0, EPSILON, y, AT);
    assertSameBits(zeros, y, "layer");
    kernels.norms().l2(zeros, AT, 1, 17, 1, EPSILON, y, AT);
    assertSameBits(zeros, y, "l2");
  }

  private static float[] weights(SplittableRandom random, int count) {
    float[] w = new float[count];
    for (int i = 0; i < count; i++) {
      w[i] = random.nextFloat(-2, 2);
    }
    return w;
  }
}
