package dev.apus.attention.learning;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A layer of Titans' memory against the paper's recurrence, and the laws of its state. */
class MemoryLayerTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(Object... pairs) {
    Map<String, Object> settings = new HashMap<>(Map.of("heads", 2, "headDim", 6));
    for (int i = 0; i < pairs.length; i += 2) {
      settings.put((String) pairs[i], pairs[i + 1]);
    }
    return settings;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with("chunk", 1),
        with("chunk", 5, "taps", 3, "gated", false),
        with("headDim", 17, "rate", 0.3),
        with("depth", 2, "hidden", 7, "chunk", 1, "rate", 0.5),
        with("depth", 3, "hidden", 5, "chunk", 4, "activation", "silu", "rate", 0.5));
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new MemoryLayer.Type(), settings, WIDTH);
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new MemoryLayer.Type(), settings, WIDTH);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      laws(settings).aSequenceIs(exact(settings, x), x, 5e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  /** Nothing is learned at a rate of 0, and that shows. */
  @Test
  void whatIsLearnedShows() {
    try (var bench = bench(with())) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[] learned = exact(with("chunk", 4), x)[TOKENS - 1];
      double[] unlearned = exact(with("chunk", 4, "rate", 0), x)[TOKENS - 1];
      double most = 0;
      for (int i = 0; i < WIDTH; i++) {
        most = Math.max(most, Math.abs(learned[i] - unlearned[i]));
      }
      assertTrue(most > 0.05, "learning changes next to nothing: " + most);
    }
  }

  @ParameterizedTest
  @CsvSource({"headDim, 0", "chunk, 0", "depth, 0", "heads, 2000000000"})
  void settingsThatCannotBeRunAreRefused(String key, int value) {
    Config settings = Config.of("memory", with(key, value));
    try (var bench = bench(with())) {
      assertEquals(1, bench.grain());
    }
    var e =
        assertThrows(
            ConfigException.class,
            () -> NeuralMemory.Spec.read(settings, settings.positive("chunk", 16)));
    assertTrue(e.getMessage().contains(key), e.getMessage());
  }

  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    Config c = Config.of("exact", settings);
    NeuralMemory.Spec spec = NeuralMemory.Spec.read(c, c.positive("chunk", 16));
    var memory = new ExactMemory(spec, "");
    double[][] mixed = memory.mixed(x);
    int dim = spec.inner().dim();
    double[] norm = vector("norm", dim, Typical.NORM);
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] o = memory.advance(x[t], mixed[t]);
      double[] gate = times(matrix("gate", o.length, WIDTH), x[t]);
      for (int head = 0; head < spec.heads(); head++) {
        int at = head * dim;
        double squares = Arrays.stream(o, at, at + dim).map(v -> v * v).sum();
        for (int i = 0; i < dim; i++) {
          o[at + i] *= norm[i] / Math.sqrt(squares / dim + 1e-6);
          o[at + i] *= c.flag("gated", true) ? sigmoid(gate[at + i]) : 1;
        }
      }
      y[t] = times(matrix("o", WIDTH, o.length), o);
    }
    return y;
  }
}
