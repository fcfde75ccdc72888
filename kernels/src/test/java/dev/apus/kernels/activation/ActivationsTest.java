package dev.apus.kernels.activation;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ActivationsTest {

  private static final int[] SIZES = {0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100};

  private static final float[] EXTREMES = {
    0,
    -0f,
    1e-40f,
    -1e-40f,
    0.5f,
    -1,
    0.625f,
    4,
    -4,
    87,
    -87.4f,
    88.8f,
    -88.8f,
    100,
    -100,
    1e4f,
    -1e4f,
    1e20f,
    -1e20f,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.NaN
  };

  @ParameterizedTest
  @EnumSource
  void agreesWithTheDefinition(Activation f) {
    Activations scalar = Kernels.scalar().activations();
    Activations vector = VectorApi.kernels().activations();
    for (int count : SIZES) {
      var random = new SplittableRandom(count);
      float[] expected = Guarded.uniform(random, count, -20, 20);
      float[] actual = expected.clone();
      float[] gate = expected.clone();
      scalar.apply(f, expected, AT, count);
      vector.apply(f, actual, AT, count);
      assertSameBits(expected, actual, f + " of " + count);

      scalar.gate(f, gate, AT, expected, AT, count);
      vector.gate(f, gate, AT, actual, AT, count);
      assertSameBits(expected, actual, f + " gate of " + count);
    }
  }

  @ParameterizedTest
  @EnumSource
  void agreesWithTheDefinitionAtExtremes(Activation f) {
    Activations vector = VectorApi.kernels().activations();
    for (float x : EXTREMES) {
      float[] actual = Guarded.poisoned(16);
      Arrays.fill(actual, AT, AT + 16, x);
      float[] expected = actual.clone();
      Kernels.scalar().activations().apply(f, expected, AT, 16);
      vector.apply(f, actual, AT, 16);
      assertSameBits(expected, actual, f + " of " + x);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100})
  void softmaxSoftcapAndSumAgreeWithTheDefinition(int count) {
    Activations scalar = Kernels.scalar().activations();
    Activations vector = VectorApi.kernels().activations();
    var random = new SplittableRandom(count);
    float[] expected = Guarded.uniform(random, count, -90, 10);
    float[] actual = expected.clone();
    float[] x = expected.clone();

    scalar.softcap(30, expected, AT, count);
    vector.softcap(30, actual, AT, count);
    assertSameBits(expected, actual, "softcap");
    scalar.softmax(expected, AT, count);
    vector.softmax(actual, AT, count);
    assertSameBits(expected, actual, "softmax");
    scalar.addScaled(0.3f, x, AT, expected, AT, count);
    vector.addScaled(0.3f, x, AT, actual, AT, count);
    assertSameBits(expected, actual, "addScaled");
  }

  @ParameterizedTest
  @EnumSource
  void followsTheFormula(Activation f) {
    Activations scalar = Kernels.scalar().activations();
    for (float x = -30; x < 30; x += 0.37f) {
      float[] data = {x};
      scalar.apply(f, data, 0, 1);
      double expected = formula(f, x);
      // Three roundings and an approximation, relative to x or, for what does not grow, to 1.
      double tolerance = 4e-7 * Math.max(1, Math.max(Math.abs(x), Math.abs(expected)));
      assertEquals(expected, data[0], tolerance, f + " of " + x);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SILU", "GELU_TANH"})
  void slopesAgreeWithTheDefinitionAndAreThoseOfTheFormula(Activation f) {
    Activations scalar = Kernels.scalar().activations();
    Activations vector = VectorApi.kernels().activations();
    for (int count : SIZES) {
      var random = new SplittableRandom(count);
      float[] x = Guarded.uniform(random, count, -9, 9);
      float[] expected = Guarded.normal(random, count);
      float[] actual = expected.clone();
      float[] gradients = expected.clone();
      scalar.slope(f, x, AT, expected, AT, count);
      vector.slope(f, x, AT, actual, AT, count);
      assertSameBits(expected, actual, f + " of " + count);
      assertGuardsHold(actual);
      for (int i = AT; i < AT + count; i++) {
        double slope = (formula(f, x[i] + 1e-5) - formula(f, x[i] - 1e-5)) / 2e-5;
        // 1 − s is known to 6e-8, and is multiplied by x and a rate of up to 11.
        assertEquals(slope * gradients[i], actual[i], 1e-5, f + " at " + x[i]);
      }
    }
  }

  @Test
  void functionsWithoutSlopeAreRefused() {
    Kernels.scalar().activations().slope(Activation.SILU, new float[1], 0, new float[1], 0, 1);
    assertThrows(
        IllegalArgumentException.class,
        () ->
            Kernels.scalar()
                .activations()
                .slope(Activation.RELU, new float[1], 0, new float[1], 0, 1));
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void softmaxFollowsTheFormula(Kernels kernels) {
    int count = 100;
    float[] x = Guarded.uniform(new SplittableRandom(5), count, -12, 12);
    double max = Double.NEGATIVE_INFINITY;
    double sum = 0;
    double[] e = new double[count];
    for (int i = 0; i < count; i++) {
      max = Math.max(max, x[AT + i]);
    }
    for (int i = 0; i < count; i++) {
      e[i] = Math.exp(x[AT + i] - max);
      sum += e[i];
    }
    kernels.activations().softmax(x, AT, count);
    assertGuardsHold(x);
    for (int i = 0; i < count; i++) {
      // The argument of up to 24 is rounded, which the exponential magnifies.
      assertEquals(e[i] / sum, x[AT + i], 3e-6 * e[i] / sum, "[" + i + "]");
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void softmaxAtExtremes(Kernels kernels) {
    Activations f = kernels.activations();
    for (int count : new int[] {1, 5, 16, 33}) {
      float[] none = filled(count, Float.NEGATIVE_INFINITY);
      f.softmax(none, AT, count);
      assertSameBits(filled(count, 0), none, "nothing allowed");

      float[] equal = filled(count, -1e4f);
      f.softmax(equal, AT, count);
      assertEquals(1.0 / count, equal[AT], 1e-7);

      float[] one = filled(count, -1e4f);
      one[AT + count / 2] = 1e4f;
      f.softmax(one, AT, count);
      float[] expected = filled(count, 0);
      expected[AT + count / 2] = 1;
      assertSameBits(expected, one, "one far above");

      float[] nan = filled(count, 0);
      nan[AT + count - 1] = Float.NaN;
      f.softmax(nan, AT, count);
      assertTrue(Float.isNaN(nan[AT]), "one NaN makes the row NaN");
    }
  }

  private static float[] filled(int count, float value) {
    float[] data = Guarded.poisoned(count);
    Arrays.fill(data, AT, AT + count, value);
    return data;
  }

  private static double formula(Activation f, double x) {
    return switch (f) {
      case IDENTITY -> x;
      case SILU -> x / (1 + Math.exp(-x));
      case GELU -> gelu(x);
      case GELU_TANH ->
          x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
      case RELU -> Math.max(x, 0);
      case RELU_SQUARED -> Math.max(x, 0) * Math.max(x, 0);
      case SIGMOID -> 1 / (1 + Math.exp(-x));
      case TANH -> Math.tanh(x);
      case EXP -> Math.exp(x);
      case SOFTPLUS -> Math.log1p(Math.exp(x));
    };
  }

  /** Φ by Simpson's rule over the bell curve. */
  private static double gelu(double x) {
    int steps = 2000;
    double end = Math.clamp(x, -8, 8);
    double h = end / steps;
    double sum = 0;
    for (int i = 0; i <= steps; i++) {
      int factor = i == 0 || i == steps ? 1 : i % 2 == 0 ? 2 : 4;
      sum += factor * Math.exp(-i * h * i * h / 2);
    }
    return x * (0.5 + sum * h / 3 / Math.sqrt(2 * Math.PI));
  }
}
