package dev.apus.attention.linear;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way to forget, as a sum over all tokens before, and the laws of its state. */
class ForgettingTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(Map.of("heads", 4, "kvHeads", 2, "keyDim", 6, "valueDim", 5));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  private static Map<String, Object> norm(String over) {
    return Map.of("epsilon", 1e-2, "over", over);
  }

  static Stream<Map<String, Object>> settings() {
    Map<String, Object> convolution = Map.of("taps", 3, "biased", true);
    Map<String, Object> bounds = Map.of("layers", 5, "layer", 3);
    return Stream.of(
        with("decay", Map.of("rates", "retention"), "rope", Map.of("theta", 50)),
        with("decay", Map.of("gate", "key", "latent", 3, "biased", true, "root", 16)),
        with(
            "decay",
            Map.of("gate", "key", "root", 2, "floor", -0.4),
            "activation",
            "relu",
            "activated",
            "qk",
            "norm",
            norm("head"),
            "gate",
            "silu"),
        with("decay", Map.of("gate", "head", "biased", true), "convolution", convolution),
        with("decay", Map.of("gate", "value", "root", 4), "readActivation", "silu"),
        with(
            "decay",
            Map.of("keys", "complement", "bounds", bounds),
            "activation",
            "silu",
            "activated",
            "q",
            "norm",
            norm("row")),
        with("decay", Map.of("keys", "complement", "root", 8), "convolution", convolution),
        with(
            "decay",
            Map.of("keys", "softmax"),
            "convolution",
            Map.of("taps", 2, "activation", "identity"),
            "gate",
            "silu",
            "gateLatent",
            3),
        with("decay", Map.of("keys", "softmax", "least", -0.5, "most", 0.4)));
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new LinearAttention.Type(), settings, WIDTH);
  }

  /** What each head reads of every token before, written out. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    LinearSpec spec = LinearSpec.read(Config.of("exact", settings), MixerBench.LIMIT);
    HeadSpec s = spec.heads();
    var heads = new Forgetting.Heads(s.heads(), s.kvHeads(), s.keyDim(), s.valueDim());
    double[][] q = ExactHeads.inputs(s, 0, x);
    double[][] k = ExactHeads.inputs(s, 1, x);
    double[][] v = ExactHeads.inputs(s, 2, x);
    double[][] o = new double[x.length][s.heads() * s.valueDim()];
    for (int head = 0; head < s.heads(); head++) {
      double[][][][] weights = ExactHeads.weights(spec.forgetting(), heads, head, k, x);
      int group = heads.kvHead(head) * s.valueDim();
      for (int t = 0; t < x.length; t++) {
        for (int from = 0; from <= t; from++) {
          for (int i = 0; i < s.keyDim(); i++) {
            for (int j = 0; j < s.valueDim(); j++) {
              o[t][head * s.valueDim() + j] +=
                  q[t][head * s.keyDim() + i] * weights[t][from][i][j] * v[from][group + j];
            }
          }
        }
      }
    }
    return ExactHeads.readOut(spec.readout(), s.valueDim(), o, x);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsASumOverTheTokensBefore(Map<String, Object> settings) {
    try (var bench = new MixerBench<>(new LinearAttention.Type(), settings, WIDTH)) {
      double[][] x = bench.tokens(TOKENS, 5);
      laws(settings).aSequenceIs(exact(settings, x), x, 1e-4);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(
            Map.of("gate", "row"),
            "decay.gate=\"row\" is not supported; supported: head, key, value"),
        of(
            Map.of("keys", "sum"),
            "decay.keys=\"sum\" is not supported; supported: complement, softmax"),
        of(Map.of("gate", "key", "root", 0), "root=0.0 must be above 0: memories would grow"),
        of(
            Map.of("gate", "key", "floor", 1),
            "floor=1.0 must not be positive: memories would grow"),
        of(
            Map.of("keys", "softmax", "least", 1, "most", 0),
            "least=1.0 must not be above most=0.0"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> decay, String message) {
    Config config = Config.of("layer 0", with("decay", decay));
    var e = assertThrows(ConfigException.class, () -> LinearSpec.read(config, 100));
    assertEquals(message, e.getMessage().substring(e.getMessage().length() - message.length()));
  }

  @ParameterizedTest
  @MethodSource("keysOfTheirOwn")
  void keysThatAreMadeAreNotMadeOtherwise(String setting, Object value) {
    Config config = Config.of("layer 0", with("decay", Map.of("keys", "softmax"), setting, value));
    var e = assertThrows(ConfigException.class, () -> LinearSpec.read(config, 100));
    assertEquals(
        "layer 0: "
            + setting
            + " is not supported beside decay.keys, which makes the keys of what they forget",
        e.getMessage());
  }

  static Stream<Arguments> keysOfTheirOwn() {
    return Stream.of(of("rope", Map.of()), of("features", Map.of("map", "elu")));
  }
}
