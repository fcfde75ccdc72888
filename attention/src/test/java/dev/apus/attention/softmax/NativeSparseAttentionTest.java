package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.config.Config;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Native sparse attention against its definition in double precision, and its laws. */
class NativeSparseAttentionTest {

  private static final int WIDTH = 11;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(
            Map.of("heads", 6, "kvHeads", 2, "headDim", 8, "block", 4, "top", 5, "window", 6));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("top", 1, "window", 0, "biased", true),
        with("top", 2, "block", 7, "rope", Map.of()),
        with("top", 3, "heads", 2),
        with("block", 1, "top", 8, "scale", 2),
        with("block", 16, "top", 4, "heads", 16, "kvHeads", 1, "rope", Map.of()),
        with("block", 300));
  }

  private static MixerBench<KeyValueCache> bench(Map<String, Object> settings) {
    return new MixerBench<>(new NativeSparseAttention.Type(), settings, WIDTH);
  }

  @ParameterizedTest
  @MethodSource("settings")
  void isWhatItsDefinitionSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(150, 5);
      double[][] expected = formula(settings, x);
      new MixerLaws(new NativeSparseAttention.Type(), settings, WIDTH)
          .aSequenceIs(expected, x, 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void theLawsHold(Map<String, Object> settings) throws IOException {
    new MixerLaws(new NativeSparseAttention.Type(), settings, WIDTH).holdWhileTheStateGrows();
  }

  /** Enough tokens for several spans of summaries and of keys, which threads may share out. */
  @Test
  void neitherThreadsNorCutsShowInLongTexts() {
    int tokens = 1300;
    Map<String, Object> settings = with("block", 2);
    for (CacheFormat cache : CacheFormat.values()) {
      float[][] whole = null;
      for (int threads : new int[] {1, 2, 7}) {
        try (var bench =
            new MixerBench<KeyValueCache>(
                new NativeSparseAttention.Type(),
                settings,
                WIDTH,
                Kernels.chosen(),
                cache,
                threads)) {
          double[][] x = bench.tokens(tokens, 5);
          KeyValueCache state = bench.state(tokens);
          float[][] head = bench.run(state, Arrays.copyOf(x, tokens - 3), 0);
          float[][] tail = bench.run(state, Arrays.copyOfRange(x, tokens - 3, tokens), tokens - 3);
          whole = whole == null ? bench.run(bench.state(tokens), x, 0) : whole;
          assertArrayEquals(Arrays.copyOf(whole, tokens - 3), head);
          assertArrayEquals(Arrays.copyOfRange(whole, tokens - 3, tokens), tail);
        }
      }
    }
  }

  @Test
  void aTokenAddsItsPartOfASummary() {
    try (var bench = bench(with());
        KeyValueCache state = bench.state()) {
      int token = 4 * 2 * (8 + 32);
      assertEquals(token + token / 4, bench.bytesPerToken(), "a block of 4 slots has a slot more");
      bench.run(state, bench.tokens(256, 5), 0);
      assertEquals(256 * bench.bytesPerToken(), state.bytes());
    }
  }

  private static double[][] formula(Map<String, Object> settings, double[][] x) {
    SparseSpec spec = SparseSpec.read(Config.of("naive", settings), MixerBench.LIMIT);
    double[][] q = projected(spec, "q", spec.queryCols(), x);
    double[][] k = projected(spec, "k", spec.keyCols(), x);
    double[][] v = projected(spec, "v", spec.keyCols(), x);
    if (spec.rope() != null) {
      var naive = new NaiveAttention(settings(spec), WIDTH, MixerBench.LIMIT);
      for (int i = 0; i < x.length; i++) {
        naive.turn(q[i], i);
        naive.turn(k[i], i);
      }
    }
    double[][] meanKeys = means(spec, k);
    double[][] meanValues = means(spec, v);
    double[][] y = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      double[] gate = times(matrix("gate", 3 * spec.heads(), WIDTH), x[i]);
      double[] o = new double[spec.queryCols()];
      for (int head = 0; head < spec.heads(); head++) {
        int row = i;
        List<Integer> blocks = chosen(spec, i, head / spec.group(), q[i], meanKeys);
        int whole = (i + 1) / spec.block();
        add(spec, head, q[i], meanKeys, meanValues, b -> b < whole, gate[3 * head], o);
        IntPredicate selected = j -> j <= row && blocks.contains(j / spec.block());
        add(spec, head, q[i], k, v, selected, gate[3 * head + 1], o);
        if (spec.window() > 0) {
          IntPredicate near = j -> j <= row && row - j < spec.window();
          add(spec, head, q[i], k, v, near, gate[3 * head + 2], o);
        }
      }
      y[i] = times(matrix("o", WIDTH, o.length), o);
    }
    return y;
  }

  /** Settings of plain attention that turns its keys in the same way. */
  private static Map<String, Object> settings(SparseSpec spec) {
    return Map.of("heads", spec.heads(), "headDim", spec.headDim(), "rope", Map.of());
  }

  private static double[][] projected(SparseSpec spec, String name, int cols, double[][] x) {
    double[][] y = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      double[] row = times(matrix(name, cols, WIDTH), x[i]);
      if (spec.biased()) {
        double[] bias = vector(name + ".bias", cols, Typical.BIAS);
        Arrays.setAll(row, j -> row[j] + bias[j]);
      }
      y[i] = row;
    }
    return y;
  }

  private static double[][] means(SparseSpec spec, double[][] x) {
    double[][] means = new double[x.length / spec.block()][spec.keyCols()];
    for (int i = 0; i < means.length * spec.block(); i++) {
      for (int c = 0; c < spec.keyCols(); c++) {
        means[i / spec.block()][c] += x[i][c] / spec.block();
      }
    }
    return means;
  }

  private static double[] weights(
      SparseSpec spec, int head, double[] q, double[][] k, IntPredicate visited) {
    int dim = spec.headDim();
    double[] weights = new double[k.length];
    double sum = 0;
    for (int j = 0; j < k.length; j++) {
      if (visited.test(j)) {
        double product = 0;
        for (int d = 0; d < dim; d++) {
          product += q[head * dim + d] * k[j][head / spec.group() * dim + d];
        }
        weights[j] = Math.exp(product * spec.scale());
        sum += weights[j];
      }
    }
    double all = sum;
    return Arrays.stream(weights).map(w -> all == 0 ? 0 : w / all).toArray();
  }

  /** Own, previous and first block, and then those of the greatest weight. */
  private static List<Integer> chosen(
      SparseSpec spec, int i, int keyHead, double[] q, double[][] means) {
    int own = i / spec.block();
    double[] weights = new double[own + 1];
    for (int g = 0; g < spec.group(); g++) {
      double[] more =
          weights(spec, keyHead * spec.group() + g, q, means, b -> b < (i + 1) / spec.block());
      for (int b = 0; b < own; b++) {
        weights[b] += more[b];
      }
    }
    weights[0] = 1000;
    weights[Math.max(0, own - 1)] = 2000;
    weights[own] = 3000;
    return IntStream.rangeClosed(0, own)
        .boxed()
        .sorted(Comparator.comparingDouble(b -> -weights[b]))
        .limit(spec.top())
        .toList();
  }

  private static void add(
      SparseSpec spec,
      int head,
      double[] q,
      double[][] k,
      double[][] v,
      IntPredicate visited,
      double gate,
      double[] o) {
    int dim = spec.headDim();
    double[] weights = weights(spec, head, q, k, visited);
    for (int j = 0; j < k.length; j++) {
      for (int d = 0; d < dim; d++) {
        o[head * dim + d] += sigmoid(gate) * weights[j] * v[j][head / spec.group() * dim + d];
      }
    }
  }
}
