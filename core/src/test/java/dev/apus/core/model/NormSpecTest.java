package dev.apus.core.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
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
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

/** What a norm may be, what a document says of it, and what it computes. */
class NormSpecTest {

  static final List<NormSpec> specs =
      List.of(
          NormSpec.rms(1e-5),
          NormSpec.rms(0.25).unweighted(),
          NormSpec.layer(1e-5, true),
          NormSpec.layer(0.25, false),
          NormSpec.layer(0, true).unweighted(),
          NormSpec.AFFINE,
          NormSpec.SCALED);

  private static NormSpec read(Map<String, ?> settings) {
    return NormSpec.read(Config.of("norm", settings));
  }

  @ParameterizedTest
  @FieldSource("specs")
  void aDocumentReadsBackAsItself(NormSpec spec) {
    assertEquals(spec, read(spec.toMap()));
  }

  @Test
  void whatIsNotSaidIsUsual() {
    assertEquals(NormSpec.rms(1e-6), read(Map.of()));
    assertEquals(NormSpec.layer(1e-6, false), read(Map.of("type", "layer")));
  }

  @ParameterizedTest
  @CsvSource({"-1.0E-9", "1.0", "7.0"})
  void anEpsilonThatIsNoneIsRefused(double epsilon) {
    var e = assertThrows(ConfigException.class, () -> read(Map.of("epsilon", epsilon)));
    assertEquals("norm: epsilon must be in [0, 1), found " + epsilon, e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> NormSpec.rms(Double.NaN));
  }

  @Test
  void onlyAWeightedLayerNormHasABias() {
    for (Map<String, ?> settings :
        List.of(
            Map.of("biased", true), Map.of("type", "layer", "weighted", false, "biased", true))) {
      var e = assertThrows(ConfigException.class, () -> read(settings));
      assertEquals("norm: only a weighted layer norm has a bias", e.getMessage());
    }
  }

  @Test
  void anUnknownTypeIsRefused() {
    var e = assertThrows(ConfigException.class, () -> read(Map.of("type", "batch")));
    assertEquals(
        "norm: type=\"batch\" is not supported; supported: rms, layer, affine", e.getMessage());
  }

  @Test
  void anAffineNormHasNothingToChoose() {
    Config c = Config.of("norm", Map.of("type", "affine", "epsilon", 1e-5));
    assertEquals(NormSpec.AFFINE, NormSpec.read(c));
    assertEquals(List.of("epsilon"), c.unread());
    assertThrows(IllegalArgumentException.class, NormSpec.AFFINE::unweighted);
    assertThrows(
        IllegalArgumentException.class,
        () -> new NormSpec(NormSpec.Type.AFFINE, 1e-5, true, true, 0));
  }

  @Test
  void noNormIsNone() {
    assertNull(Normalization.of(null, "norm", 3, null));
  }

  /** Groups of 13 with one weight, and with a weight for each group. */
  @ParameterizedTest
  @FieldSource("specs")
  void rowsAreNormalisedByTheFormula(NormSpec spec) {
    int rows = 7;
    int size = 13;
    for (int groups : new int[] {1, 3}) {
      for (int stride : new int[] {0, size}) {
        int weighted = stride == 0 ? size : groups * size;
        try (Arena arena = Arena.ofShared();
            Workers workers = Workers.of(2)) {
          var kernels = Kernels.chosen();
          var source = new RandomWeights(3, WeightFormat.F32);
          WeightScope scope = new Weights(source, kernels, workers, arena).root();
          Normalization norm = Normalization.of(spec, "n", weighted, scope);
          float[] weight = spec.weighted() ? scope.vector("n", weighted, Typical.NORM) : null;
          float[] bias =
              spec.biased()
                  ? scope.vector("n.bias", weighted, Normalization.typicalBias(spec))
                  : null;
          Matrix x = random(rows, groups * size);
          Matrix y = poisoned(rows, groups * size);
          norm.groups(new Pass(workers, kernels), x, y, groups, size, stride);
          for (int row = 0; row < rows; row++) {
            for (int group = 0; group < groups; group++) {
              double[] expected =
                  expected(spec, x, x.at(row) + group * size, size, weight, bias, group * stride);
              for (int i = 0; i < size; i++) {
                assertEquals(expected[i], y.data()[y.at(row) + group * size + i], 2e-5);
              }
            }
          }
          assertTrue(Float.isNaN(y.data()[rows * groups * size]), "wrote past the last row");
        }
      }
    }
  }

  private static float of(float[] values, int at) {
    return values == null ? 0 : values[at];
  }

  @ParameterizedTest
  @CsvSource({"2", "3", "12"})
  void groupsShareOneWeight(int size) {
    for (NormSpec spec : List.of(NormSpec.rms(0.25).grouped(size), NormSpec.SCALED.grouped(size))) {
      assertEquals(spec, read(spec.toMap()));
      try (Arena arena = Arena.ofShared();
          Workers workers = Workers.of(2)) {
        var source = new RandomWeights(3, WeightFormat.F32);
        WeightScope scope = new Weights(source, Kernels.chosen(), workers, arena).root();
        Normalization norm = Normalization.of(spec, "n", 12, scope);
        float[] weight = scope.vector("n", size, Typical.NORM);
        Matrix x = random(5, 12);
        Matrix y = poisoned(5, 12);
        norm.rows(new Pass(workers, Kernels.chosen()), x, y);
        for (int at = 0; at < 60; at += size) {
          double[] expected = expected(spec, x, at, size, weight, null, 0);
          for (int i = 0; i < size; i++) {
            assertEquals(expected[i], y.data()[at + i], 2e-5);
          }
        }
        var e = assertThrows(ConfigException.class, () -> Normalization.of(spec, "n", 13, scope));
        assertEquals(
            "the norm n has group=" + size + ", of which 13 is no multiple", e.getMessage());
      }
    }
  }

  private static double[] expected(
      NormSpec spec, Matrix x, int at, int size, float[] weight, float[] bias, int weightAt) {
    double mean = 0;
    double squares = 0;
    for (int i = at; i < at + size; i++) {
      mean += x.data()[i] / size;
    }
    mean = spec.type() == NormSpec.Type.RMS ? 0 : mean;
    if (spec.type() == NormSpec.Type.AFFINE) {
      double[] y = new double[size];
      Arrays.setAll(y, i -> (x.data()[at + i] + of(bias, weightAt + i)) * weight[weightAt + i]);
      return y;
    }
    for (int i = at; i < at + size; i++) {
      squares += Math.pow(x.data()[i] - mean, 2) / size;
    }
    double[] y = new double[size];
    for (int i = 0; i < size; i++) {
      y[i] = (x.data()[at + i] - mean) / Math.sqrt(squares + spec.epsilon());
      y[i] *= weight == null ? 1 : weight[weightAt + i];
      y[i] += bias == null ? 0 : bias[weightAt + i];
    }
    return y;
  }

  private static Matrix random(int rows, int cols) {
    var random = new SplittableRandom(cols);
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
