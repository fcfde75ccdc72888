package dev.apus.ssm.structured;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
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
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** H3 against two convolutions in double precision. */
class H3Test {

  private static final int WIDTH = 12;
  private static final int TOKENS = 61;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all = new LinkedHashMap<>(Map.of("taps", 6, "stateSize", 8));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("headDim", 3, "copies", 2),
        with("headDim", 12, "spectrum", "legs", "biased", false),
        with("taps", 70, "stateSize", 64, "spectrum", "lin", "discretization", "bilinear"),
        with("taps", 1, "headDim", 2, "matrix", "dplr"));
  }

  private static double[][] project(String name, boolean biased, double[][] x) {
    double[] bias = biased ? vector(name + ".bias", WIDTH, Typical.BIAS) : new double[WIDTH];
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] row = times(matrix(name, WIDTH, WIDTH), x[t]);
      Arrays.setAll(row, i -> row[i] + bias[i]);
      y[t] = row;
    }
    return y;
  }

  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    H3.Spec s = H3.Spec.read(Config.of("exact", settings), WIDTH, MixerBench.LIMIT);
    double[][] taps = rows("shift", WIDTH, s.taps(), new Typical(0, 0.5f));
    double[][] shift = new double[WIDTH][x.length];
    for (int c = 0; c < WIDTH; c++) {
      for (int i = 0; i < Math.min(s.taps(), x.length); i++) {
        shift[c][i] = taps[c][s.taps() - 1 - i];
      }
    }
    double[][] q = project("q", s.biased(), x);
    double[][] v = project("v", s.biased(), x);
    double[][] k = Formulas.convolved(shift, new double[WIDTH], project("k", s.biased(), x));
    int dim = s.headDim();
    int heads = WIDTH / dim;
    double[][] systems = Formulas.kernels(s.system(), heads, x.length);
    double[] skip = vector("d", heads, new Typical(0, 1));
    double[][] o = new double[x.length][WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      for (int to = i / dim * dim; to < (i / dim + 1) * dim; to++) {
        double[][] product = new double[x.length][1];
        for (int t = 0; t < x.length; t++) {
          product[t][0] = k[t][i] * v[t][to];
        }
        double[][] answer =
            Formulas.convolved(
                new double[][] {systems[i / dim]}, new double[] {skip[i / dim]}, product);
        for (int t = 0; t < x.length; t++) {
          o[t][to] += q[t][i] * answer[t][0];
        }
      }
    }
    return project("o", s.biased(), o);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = new MixerBench<RecurrentState>(new H3.Type(), settings, WIDTH)) {
      double[][] x = bench.tokens(TOKENS, 5);
      new MixerLaws(new H3.Type(), settings, WIDTH).aSequenceIs(exact(settings, x), x, 1e-4);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    new MixerLaws(new H3.Type(), settings, WIDTH).hold();
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("headDim", 5), "headDim=5 does not divide the width of 12"),
        of(with("taps", 1 << 30), "taps=1073741824 of 12 keys are more than 2^31 − 1 values"),
        of(with("copies", 5), "copies=5 does not divide 12 systems"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> H3.Spec.read(Config.of("layer 0 h3", settings), WIDTH, 100));
    assertEquals("layer 0 h3: " + message, e.getMessage());
  }
}
