package dev.apus.core.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.core.weight.WeightSource.Key;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Feed-forward blocks against their formula in double precision. */
class MlpTest {

  private static final int INNER = 21;

  private final Workers workers = Workers.of(2);
  private final Arena arena = Arena.ofShared();
  private final RandomWeights source = new RandomWeights(8, WeightFormat.F32);
  private final WeightScope scope = new Weights(source, Kernels.chosen(), workers, arena).root();
  private final Pass pass = new Pass(workers, Kernels.chosen());

  @AfterEach
  void close() {
    workers.close();
    arena.close();
  }

  private ChannelMixer built(String type, int width, Map<String, ?> settings) {
    Site site = new Site(width, 0, 100, Kernels.chosen(), CacheFormat.F32, scope);
    return Mixers.of(List.of(), List.of()).channel(type).build(Config.of("mlp", settings), site);
  }

  @ParameterizedTest(name = "{0} {1} biased={2}, width {3}")
  @CsvSource({
    "gated-mlp, silu, false, 11",
    "gated-mlp, gelu-tanh, true, 11",
    "gated-mlp, relu, true, 1",
    "mlp, gelu, true, 11",
    "mlp, relu-squared, false, 11",
    "mlp, quick-gelu, true, 1",
  })
  void rowsAreThoseOfTheFormula(String type, String activation, boolean biased, int width) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("inner", INNER);
    settings.put("activation", activation);
    settings.put("biased", biased);
    ChannelMixer mlp = built(type, width, settings);
    for (int rows : new int[] {1, 2, 17}) {
      Matrix x = random(rows, width);
      Matrix y = poisoned(rows, width);
      mlp.forward(pass, x, y);
      for (int row = 0; row < rows; row++) {
        double[] values = new double[width];
        int at = x.at(row);
        Arrays.setAll(values, i -> x.data()[at + i]);
        double[] up = times("up", INNER, values, biased);
        double[] inner = new double[INNER];
        if (type.equals("gated-mlp")) {
          double[] gate = times("gate", INNER, values, biased);
          Arrays.setAll(inner, i -> activated(activation, gate[i]) * up[i]);
        } else {
          Arrays.setAll(inner, i -> activated(activation, up[i]));
        }
        double[] expected = times("down", width, inner, biased);
        for (int i = 0; i < width; i++) {
          assertEquals(expected[i], y.data()[at + i], 2e-5);
        }
      }
      assertTrue(Float.isNaN(y.data()[rows * width]), "wrote past the last row");
    }
  }

  @ParameterizedTest
  @CsvSource({"0.5, 1", "0.25, 0", "100, -0.5"})
  void gatesAndValuesAreClampedAndShifted(float limit, float shift) {
    Map<String, Object> settings =
        Map.of("inner", INNER, "activation", "quick-gelu", "limit", limit, "shift", shift);
    ChannelMixer mlp = built("gated-mlp", 11, settings);
    Matrix x = random(5, 11);
    Matrix y = poisoned(5, 11);
    mlp.forward(pass, x, y);
    for (int row = 0; row < 5; row++) {
      double[] values = new double[11];
      int at = x.at(row);
      Arrays.setAll(values, i -> x.data()[at + i]);
      double[] gate = times("gate", INNER, values, false);
      double[] up = times("up", INNER, values, false);
      double[] inner = new double[INNER];
      Arrays.setAll(
          inner,
          i ->
              activated("quick-gelu", Math.min(gate[i], limit))
                  * (Math.clamp(up[i], -limit, limit) + shift));
      double[] expected = times("down", 11, inner, false);
      for (int i = 0; i < 11; i++) {
        assertEquals(expected[i], y.data()[at + i], 2e-5);
      }
    }
    var e =
        assertThrows(
            ConfigException.class,
            () -> built("gated-mlp", 3, Map.of("inner", 3, "limit", -limit)));
    assertEquals("mlp: limit=" + -limit + " must be above 0", e.getMessage());
  }

  /** Many rows take their gates a few panels at a time, of which the last ones are not whole. */
  @Test
  void manyRowsHaveTheBitsOfSingleOnes() {
    Map<String, ?> settings = Map.of("inner", 611, "biased", true, "limit", 0.5, "shift", 1);
    ChannelMixer mlp = built("gated-mlp", 9, settings);
    Matrix x = random(45, 9);
    Matrix y = poisoned(45, 9);
    mlp.forward(pass, x, y);
    for (int row = 0; row < 45; row++) {
      Matrix one = new Matrix(Arrays.copyOfRange(x.data(), x.at(row), x.at(row + 1)), 1, 9);
      Matrix alone = Matrix.zeros(1, 9);
      mlp.forward(pass, one, alone);
      float[] among = Arrays.copyOfRange(y.data(), y.at(row), y.at(row + 1));
      assertArrayEquals(alone.data(), among, "row " + row);
    }
  }

  @Test
  void aRowAloneIsTheRowAmongOthers() {
    ChannelMixer mlp = built("gated-mlp", 9, Map.of("inner", INNER));
    Matrix x = random(19, 9);
    Matrix y = poisoned(19, 9);
    mlp.forward(pass, x, y);
    for (int row = 0; row < 19; row++) {
      Matrix one = poisoned(1, 9);
      mlp.forward(
          pass, new Matrix(Arrays.copyOfRange(x.data(), x.at(row), x.at(row + 1)), 1, 9), one);
      assertArrayEquals(
          Arrays.copyOfRange(y.data(), y.at(row), y.at(row + 1)), Arrays.copyOf(one.data(), 9));
    }
  }

  @Test
  void settingsThatCannotRunAreRefused() {
    var e = assertThrows(ConfigException.class, () -> built("mlp", 3, Map.of()));
    assertEquals(
        "mlp: inner is missing; it must be a whole number from 1 to 2147483647", e.getMessage());
    e =
        assertThrows(
            ConfigException.class,
            () -> built("gated-mlp", 3, Map.of("inner", 3, "activation", "mish")));
    assertEquals(
        "mlp: activation=\"mish\" is not supported; supported: identity, silu, gelu, gelu-tanh,"
            + " quick-gelu, relu, relu-squared, sigmoid, tanh, exp, softplus",
        e.getMessage());
  }

  /** A weight's matrix times a vector, as {@link RandomWeights} draws it. */
  private double[] times(String name, int outputs, double[] x, boolean biased) {
    float[] w = source.find(new Key(name, -1, -1), outputs, x.length, null).decode();
    double[] y = new double[outputs];
    if (biased) {
      float[] bias =
          source.find(new Key(name + ".bias", -1, -1), 1, outputs, Typical.BIAS).decode();
      Arrays.setAll(y, i -> bias[i]);
    }
    for (int out = 0; out < outputs; out++) {
      for (int i = 0; i < x.length; i++) {
        y[out] += w[out * x.length + i] * x[i];
      }
    }
    return y;
  }

  private static double activated(String activation, double x) {
    return switch (activation) {
      case "silu" -> x / (1 + Math.exp(-x));
      case "quick-gelu" -> x / (1 + Math.exp(-1.702 * x));
      case "relu" -> Math.max(x, 0);
      case "relu-squared" -> Math.pow(Math.max(x, 0), 2);
      case "gelu-tanh" ->
          x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      default -> x * normalCdf(x);
    };
  }

  /** By its Taylor series, which is good for the small numbers of this test. */
  private static double normalCdf(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= x * x / (2 * n + 1);
      sum += term;
    }
    return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  private static Matrix random(int rows, int cols) {
    var random = new SplittableRandom(31L * rows + cols);
    Matrix x = poisoned(rows, cols);
    for (int i = 0; i < rows * cols; i++) {
      x.data()[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static Matrix poisoned(int rows, int cols) {
    float[] data = new float[rows * cols + 3];
    Arrays.fill(data, Float.NaN);
    return new Matrix(data, rows, cols);
  }
}
