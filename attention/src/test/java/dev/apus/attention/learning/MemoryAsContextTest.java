package dev.apus.attention.learning;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Titans with memory as context against the formula, and the laws of its state. */
class MemoryAsContextTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(Map<String, Object> memory, Object... pairs) {
    Map<String, Object> settings = new HashMap<>(Map.of("heads", 2, "headDim", 4));
    Map<String, Object> inner = new HashMap<>(Map.of("heads", 2, "headDim", 5, "rate", 0.5));
    inner.putAll(memory);
    settings.put("memory", inner);
    for (int i = 0; i < pairs.length; i += 2) {
      settings.put((String) pairs[i], pairs[i + 1]);
    }
    return settings;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(Map.of(), "segment", 8, "persistent", 3, "rope", Map.of("theta", 100)),
        with(Map.of("depth", 2, "hidden", 7), "segment", 5),
        with(Map.of("heads", 1), "segment", 1, "persistent", 1));
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new MemoryAsContext.Type(), settings, WIDTH);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = new MixerBench<RecurrentState>(new MemoryAsContext.Type(), settings, WIDTH)) {
      double[][] x = bench.tokens(TOKENS, 5);
      laws(settings).aSequenceIs(exact(settings, x), x, 5e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  @Test
  void aConvolutionInTheMemoryIsRefused() {
    var settings = with(Map.of("taps", 4), "segment", 8);
    var e =
        assertThrows(
            ConfigException.class,
            () -> new MixerBench<RecurrentState>(new MemoryAsContext.Type(), settings, WIDTH));
    assertTrue(e.getMessage().contains("taps=4"), e.getMessage());
  }

  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    Config c = Config.of("exact", settings);
    int segment = c.positive("segment");
    int heads = c.positive("heads");
    int dim = c.positive("headDim");
    int persistent = c.count("persistent", 0);
    double theta = c.has("rope") ? c.section("rope").number("theta", 0) : 0;
    var memory = new ExactMemory(NeuralMemory.Spec.read(c.section("memory"), segment), "memory.");
    double[] norm = vector("norm", WIDTH, Typical.NORM);
    List<double[]> learned =
        persistent == 0
            ? List.of()
            : List.of(rows("persistent", persistent, WIDTH, new Typical(0, 1)));
    List<double[]> context = new ArrayList<>();
    List<double[]> own = new ArrayList<>();
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      if (t % segment == 0) {
        context.clear();
        own.clear();
      }
      double[] found = memory.retrieve(x[t]);
      context.add(times(matrix("retrieved", WIDTH, found.length), found));
      own.add(x[t]);
      int slot = persistent + segment + t % segment;
      double[] values = new double[heads * dim];
      for (int head = 0; head < heads; head++) {
        double[] query = turned(part("q", x[t], heads, dim, head), slot, theta);
        List<double[]> rows = new ArrayList<>();
        List<Integer> slots = new ArrayList<>();
        add(learned, 0, rows, slots);
        add(context, persistent, rows, slots);
        add(own, persistent + segment, rows, slots);
        double[] weights = new double[rows.size()];
        for (int i = 0; i < weights.length; i++) {
          double[] key = turned(part("k", rows.get(i), heads, dim, head), slots.get(i), theta);
          double score = 0;
          for (int d = 0; d < dim; d++) {
            score += key[d] * query[d];
          }
          weights[i] = Math.exp(score / Math.sqrt(dim));
        }
        double sum = Arrays.stream(weights).sum();
        for (int i = 0; i < weights.length; i++) {
          double[] value = part("v", rows.get(i), heads, dim, head);
          for (int d = 0; d < dim; d++) {
            values[head * dim + d] += weights[i] / sum * value[d];
          }
        }
      }
      double[] attended = times(matrix("o", WIDTH, values.length), values);
      double[][] mixed = memory.mixed(new double[][] {attended});
      double[] answer = memory.advance(attended, mixed[0]);
      double[] gate = times(matrix("answered", WIDTH, answer.length), answer);
      double squares = Arrays.stream(gate).map(v -> v * v).sum();
      y[t] = new double[WIDTH];
      for (int i = 0; i < WIDTH; i++) {
        double normed = gate[i] / Math.sqrt(squares / WIDTH + 1e-6) * norm[i];
        y[t][i] = attended[i] * sigmoid(normed);
      }
    }
    return y;
  }

  private static void add(List<double[]> more, int slot, List<double[]> rows, List<Integer> slots) {
    for (int i = 0; i < more.size(); i++) {
      rows.add(more.get(i));
      slots.add(slot + i);
    }
  }

  private static double[] part(String name, double[] x, int heads, int dim, int head) {
    double[] all = times(matrix(name, heads * dim, WIDTH), x);
    return Arrays.copyOfRange(all, head * dim, (head + 1) * dim);
  }

  /** A row turned by its slot, the first half of its values with the second. */
  private static double[] turned(double[] row, int slot, double theta) {
    if (theta == 0) {
      return row;
    }
    int half = row.length / 2;
    double[] y = row.clone();
    for (int i = 0; i < half; i++) {
      double angle = slot * Math.pow(theta, -2.0 * i / row.length);
      y[i] = row[i] * Math.cos(angle) - row[i + half] * Math.sin(angle);
      y[i + half] = row[i + half] * Math.cos(angle) + row[i] * Math.sin(angle);
    }
    return y;
  }
}
