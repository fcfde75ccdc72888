package dev.apus.attention.linear;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.attention.linear.ConstantRates.Rates;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.RecurrentState;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Linear attention with constant decays against its formula, and the laws of its state. */
class LinearAttentionTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all = new LinkedHashMap<>(Map.of("heads", 3, "keyDim", 5));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  private static Map<String, Object> norm(String over) {
    return Map.of("type", "rms", "epsilon", 1e-2, "over", over);
  }

  static Stream<Map<String, Object>> settings() {
    Map<String, Object> lightning = Map.of("rates", "lightning", "scale", 0.3);
    Map<String, Object> retention = Map.of("rates", "retention");
    return Stream.of(
        with(),
        with("heads", 1, "keyDim", 1, "decay", lightning),
        with("activation", "silu", "scale", 1, "decay", lightning, "norm", norm("row")),
        with("decay", retention, "valueDim", 33, "norm", norm("head"), "gate", "silu"),
        with("decay", lightning, "valueDim", 2, "norm", norm("each-head"), "gate", "sigmoid"));
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new LinearAttention.Type(), settings, WIDTH);
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new LinearAttention.Type(), settings, WIDTH);
  }

  /** The class's formula in double precision. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    var spec = LinearSpec.read(Config.of("exact", settings), MixerBench.LIMIT);
    HeadSpec s = spec.heads();
    double[][] q = ExactHeads.inputs(s, 0, x);
    double[][] k = ExactHeads.inputs(s, 1, x);
    double[][] v = ExactHeads.inputs(s, 2, x);
    double[][][] memory = new double[s.heads()][s.keyDim()][s.valueDim()];
    double[][] o = new double[x.length][s.heads() * s.valueDim()];
    for (int t = 0; t < x.length; t++) {
      for (int head = 0; head < s.heads(); head++) {
        for (int i = 0; i < s.keyDim(); i++) {
          for (int j = 0; j < s.valueDim(); j++) {
            int at = head * s.valueDim() + j;
            memory[head][i][j] *= kept(spec, head);
            memory[head][i][j] += k[t][head * s.keyDim() + i] * v[t][at];
            o[t][at] += q[t][head * s.keyDim() + i] * memory[head][i][j];
          }
        }
      }
    }
    return ExactHeads.readOut(spec.readout(), s.valueDim(), o, x);
  }

  private static double kept(LinearSpec s, int head) {
    return switch (s.forgetting()) {
      case ConstantRates.Spec d when d.rates() == Rates.LIGHTNING ->
          Math.exp(-d.scale() * Math.pow(2, -8.0 * (head + 1) / s.heads().heads()));
      case ConstantRates.Spec d -> Math.pow(1 - Math.pow(2, -5 - head), d.scale());
      default -> 1;
    };
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      laws(settings).aSequenceIs(exact(settings, x), x, 1e-4);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  @Test
  void headsForgetAtTheirRates() {
    float[] retention = new ConstantRates.Spec(Rates.RETENTION, 1).factors(3);
    assertArrayEquals(new float[] {31 / 32f, 63 / 64f, 127 / 128f}, retention, 1e-7f);
    float[] lightning = new ConstantRates.Spec(Rates.LIGHTNING, 2).factors(8);
    assertEquals(Math.exp(-1), lightning[0], 1e-7);
    assertEquals(Math.exp(-2.0 / 256), lightning[7], 1e-7);
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(
            with("gate", "relu"),
            "gate=\"relu\" is not supported; supported: none, identity, silu, sigmoid"),
        of(with("decay", Map.of()), "decay.rates is missing; supported: lightning, retention"),
        of(
            with("decay", Map.of("rates", "retention", "scale", -1)),
            "scale=-1.0 must not be negative: memories would grow"),
        of(
            with("keyDim", 32_768, "valueDim", 32_768),
            "heads=3 of keyDim=32768 by valueDim=32768 values are more than 2^31 − 1 values"),
        of(
            with("features", Map.of("map", "taylor"), "keyDim", 4096, "valueDim", 128),
            "heads=3 of 8394753 features by valueDim=128 values are more than 2^31 − 1 values"),
        of(with("kvHeads", 2), "heads=3 is not divisible by kvHeads=2"),
        of(
            with("features", Map.of("map", "taylor", "scale", 0)),
            "scale=0.0 must be above 0: features hold its root"),
        of(
            with("features", Map.of("map", "favor", "size", 8)),
            "features of map=\"favor\" need a denominator: they are kept divided by the greatest"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> LinearSpec.read(Config.of("layer 0 linear", settings), 100));
    assertEquals("layer 0 linear: " + message, e.getMessage());
  }
}
