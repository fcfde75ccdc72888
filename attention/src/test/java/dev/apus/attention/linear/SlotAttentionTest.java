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

/** Attention to slots, each written out as a sum over all tokens before. */
class SlotAttentionTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(
            Map.of("heads", 4, "kvHeads", 2, "keyDim", 6, "valueDim", 5, "slots", 7));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(
            "scale",
            1,
            "activation",
            "silu",
            "decay",
            Map.of("keys", "complement", "root", 8),
            "readActivation",
            "silu",
            "norm",
            Map.of("epsilon", 1e-2, "over", "row")),
        with(
            "convolution",
            Map.of("taps", 3),
            "rope",
            Map.of("theta", 50),
            "decay",
            Map.of("keys", "softmax", "least", -1, "most", 1),
            "norm",
            Map.of("epsilon", 1e-2),
            "gate",
            "silu"));
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new SlotAttention.Type(), settings, WIDTH);
  }

  /** A softmax over slots whose keys and values are sums over the tokens before. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    var spec = SlotAttention.Spec.read(Config.of("exact", settings), MixerBench.LIMIT);
    HeadSpec s = spec.heads();
    int slots = spec.slots();
    var heads = new Forgetting.Heads(s.heads(), s.kvHeads(), slots, 1);
    double[][] q = ExactHeads.inputs(s, 0, x);
    double[][] k = ExactHeads.inputs(s, 1, x);
    double[][] v = ExactHeads.inputs(s, 2, x);
    double[][] logits = ExactHeads.projected("s", s.kvHeads() * slots, x);
    double[][] o = new double[x.length][s.heads() * s.valueDim()];
    for (int head = 0; head < s.heads(); head++) {
      double[][][][] written = ExactHeads.weights(spec.forgetting(), heads, head, logits, x);
      int keyAt = heads.kvHead(head) * s.keyDim();
      int valueAt = heads.kvHead(head) * s.valueDim();
      for (int t = 0; t < x.length; t++) {
        double[] shares = new double[slots];
        double sum = 0;
        for (int slot = 0; slot < slots; slot++) {
          double score = 0;
          for (int from = 0; from <= t; from++) {
            for (int i = 0; i < s.keyDim(); i++) {
              score += q[t][head * s.keyDim() + i] * written[t][from][slot][0] * k[from][keyAt + i];
            }
          }
          shares[slot] = Math.exp(score);
          sum += shares[slot];
        }
        for (int slot = 0; slot < slots; slot++) {
          for (int from = 0; from <= t; from++) {
            for (int j = 0; j < s.valueDim(); j++) {
              o[t][head * s.valueDim() + j] +=
                  shares[slot] / sum * written[t][from][slot][0] * v[from][valueAt + j];
            }
          }
        }
      }
    }
    return ExactHeads.readOut(spec.readout(), s.valueDim(), o, x);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsASoftmaxOverSlots(Map<String, Object> settings) {
    try (var bench = new MixerBench<>(new SlotAttention.Type(), settings, WIDTH)) {
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
    String missing = "decay.keys is missing: what is written to a slot follows from its decay";
    return Stream.of(
        of(with(), missing),
        of(with("decay", Map.of("rates", "retention")), missing),
        of(
            with("decay", Map.of("keys", "softmax"), "slots", 1 << 29),
            "heads=4 of slots=536870912 of 6 values are more than 2^31 − 1 values"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    Config config = Config.of("layer 0", settings);
    var e = assertThrows(ConfigException.class, () -> SlotAttention.Spec.read(config, 100));
    assertEquals("layer 0: " + message, e.getMessage());
  }
}
