package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention to a window and to compressed entries against its definition, and its laws. */
class CompressedAttentionTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 67;
  private static final double EPSILON = 1e-6;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(
            Map.of(
                "heads",
                4,
                "headDim",
                6,
                "queryLatent",
                5,
                "window",
                7,
                "outLatent",
                3,
                "sinks",
                true,
                "rope",
                Map.of("layout", "interleaved", "theta", 100, "dims", 4)));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  private static Map<String, Object> entries(int rate, boolean overlapping) {
    return Map.of("rate", rate, "overlapping", overlapping);
  }

  private static Map<String, Object> indexed(
      int rate, boolean overlapping, int heads, int headDim, int top) {
    return Map.of(
        "rate",
        rate,
        "overlapping",
        overlapping,
        "index",
        Map.of("heads", heads, "headDim", headDim, "top", top));
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("window", 1, "sinks", false, "outGroups", 2),
        with("entries", entries(16, false), "outGroups", 4),
        with("entries", entries(5, true)),
        with("entries", entries(1, true), "window", 2),
        with("entries", indexed(4, true, 3, 5, 4), "outGroups", 2),
        with("entries", indexed(3, false, 2, 4, 1), "sinks", false),
        with("entries", indexed(2, true, 1, 70, 9), "headDim", 40, "heads", 17),
        with("entries", indexed(4, true, 2, 8, 1000), "scale", 0.7));
  }

  private static MixerBench<CompressedCache> bench(Map<String, Object> settings) {
    return new MixerBench<>(new CompressedAttention.Type(), settings, WIDTH);
  }

  /** The definition in double precision. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    var s = CompressedSpec.read(Config.of("exact", settings), MixerBench.LIMIT);
    int dim = s.headDim();
    double[][] latent = new double[x.length][];
    double[][] keys = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] down = times(matrix("latent", s.queryLatent(), WIDTH), x[t]);
      latent[t] = normed(down, vector("latent.norm", s.queryLatent(), Typical.NORM));
      double[] key = times(matrix("kv", dim, WIDTH), x[t]);
      keys[t] = normed(key, vector("kv.norm", dim, Typical.NORM));
      turn(s, keys[t], 0, dim, t);
    }
    double[][] compressed = s.entries() == null ? new double[0][] : compressed(s, "", dim, x);
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      List<double[]> seen =
          new ArrayList<>(List.of(keys).subList(Math.max(0, t - s.window() + 1), t + 1));
      if (s.entries() != null) {
        int complete = (t + 1) / s.entries().rate();
        int[] visited =
            s.entries().index() == null
                ? IntStream.range(0, complete).toArray()
                : chosen(s, x, latent[t], t, complete);
        for (int entry : visited) {
          seen.add(compressed[entry]);
        }
      }
      double[] q = times(matrix("q", s.cols(), s.queryLatent()), latent[t]);
      double[] o = new double[s.cols()];
      for (int h = 0; h < s.heads(); h++) {
        double[] query = normed(Arrays.copyOfRange(q, h * dim, (h + 1) * dim), null);
        turn(s, query, 0, dim, t);
        attend(s, h, query, seen, o);
        turn(s, o, h * dim, dim, -t);
      }
      y[t] = projected(s, o);
    }
    return y;
  }

  private static void attend(
      CompressedSpec s, int head, double[] query, List<double[]> seen, double[] o) {
    int dim = s.headDim();
    double sum = s.sinks() ? Math.exp(vector("sinks", s.heads(), Typical.BIAS)[head]) : 0;
    for (double[] key : seen) {
      double dot = 0;
      for (int d = 0; d < dim; d++) {
        dot += query[d] * key[d];
      }
      double weight = Math.exp(s.scale() * dot);
      sum += weight;
      for (int d = 0; d < dim; d++) {
        o[head * dim + d] += weight * key[d];
      }
    }
    for (int d = 0; d < dim; d++) {
      o[head * dim + d] /= sum;
    }
  }

  private static double[] projected(CompressedSpec s, double[] o) {
    int inputs = s.cols() / s.outGroups();
    double[][] groups = rows("o.group", s.outGroups() * s.outLatent(), inputs, null);
    double[] grouped = new double[groups.length];
    for (int i = 0; i < grouped.length; i++) {
      for (int j = 0; j < inputs; j++) {
        grouped[i] += groups[i][j] * o[i / s.outLatent() * inputs + j];
      }
    }
    return times(matrix("o", WIDTH, grouped.length), grouped);
  }

  /** All entries of a text. */
  private static double[][] compressed(CompressedSpec s, String scope, int dim, double[][] x) {
    int rate = s.entries().rate();
    int cols = s.entries().overlapping() ? 2 * dim : dim;
    double[][] values = matrix(scope + "entry.kv", cols, WIDTH);
    double[][] gates = matrix(scope + "entry.gate", cols, WIDTH);
    double[][] places = rows(scope + "entry.places", rate, cols, new Typical(0, 0.5f));
    double[][] c = new double[x.length][];
    double[][] z = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      c[t] = times(values, x[t]);
      z[t] = times(gates, x[t]);
      double[] place = places[t % rate];
      double[] logits = z[t];
      Arrays.setAll(logits, i -> logits[i] + place[i]);
    }
    double[][] entries = new double[x.length / rate][dim];
    for (int w = 0; w < entries.length; w++) {
      for (int d = 0; d < dim; d++) {
        double sum = 0;
        for (int t = s.entries().overlapping() ? (w - 1) * rate : w * rate;
            t < (w + 1) * rate;
            t++) {
          if (t >= 0) {
            int col = t >= w * rate && cols > dim ? dim + d : d;
            double weight = Math.exp(z[t][col]);
            sum += weight;
            entries[w][d] += weight * c[t][col];
          }
        }
        entries[w][d] /= sum;
      }
      entries[w] = normed(entries[w], vector(scope + "entry.norm", dim, Typical.NORM));
      turn(s, entries[w], 0, dim, w * rate);
    }
    return entries;
  }

  private static int[] chosen(
      CompressedSpec s, double[][] x, double[] latent, int t, int complete) {
    var index = s.entries().index();
    int dim = index.headDim();
    double[][] keys = compressed(s, "index.", dim, x);
    double[] q = times(matrix("index.q", index.heads() * dim, s.queryLatent()), latent);
    double[] w = times(matrix("index.weights", index.heads(), WIDTH), x[t]);
    double[] scores = new double[complete];
    for (int h = 0; h < index.heads(); h++) {
      turn(s, q, h * dim, dim, t);
      for (int entry = 0; entry < complete; entry++) {
        double dot = 0;
        for (int d = 0; d < dim; d++) {
          dot += q[h * dim + d] * keys[entry][d];
        }
        scores[entry] += w[h] * Math.max(0, dot);
      }
    }
    return IntStream.range(0, complete)
        .boxed()
        .sorted(Comparator.comparingDouble(entry -> -scores[entry]))
        .limit(index.top())
        .mapToInt(entry -> entry)
        .toArray();
  }

  private static double[] normed(double[] x, double[] weight) {
    double squares = Arrays.stream(x).map(v -> v * v).average().orElseThrow();
    double[] result = new double[x.length];
    Arrays.setAll(
        result, i -> x[i] / Math.sqrt(squares + EPSILON) * (weight == null ? 1 : weight[i]));
    return result;
  }

  /** Turns the last values of a head. */
  private static void turn(CompressedSpec s, double[] x, int at, int dim, int position) {
    int dims = s.rope().dims();
    for (int i = 0; i < dims / 2; i++) {
      double angle = position * Math.pow(s.rope().theta(), -2.0 * i / dims);
      int first = at + dim - dims + 2 * i;
      double a = x[first];
      double b = x[first + 1];
      x[first] = a * Math.cos(angle) - b * Math.sin(angle);
      x[first + 1] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsDefinitionSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      new MixerLaws(new CompressedAttention.Type(), settings, WIDTH)
          .aSequenceIs(exact(settings, x), x, 2e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    new MixerLaws(new CompressedAttention.Type(), settings, WIDTH).holdWhileTheStateGrows();
  }

  private static void assertSame(float[][] whole, int from, float[][] part) {
    for (int i = 0; i < part.length; i++) {
      assertArrayEquals(whole[from + i], part[i], "token " + (from + i));
    }
  }

  /** Blocks that are cut anywhere, even twice, become the same entries. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void itMayBeCutAnywhereWithTheSameBits(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] whole = bench.run(bench.state(), x, 0);
      for (int piece : new int[] {1, 3, 5, 8, 31}) {
        try (CompressedCache state = bench.state()) {
          for (int from = 0; from < TOKENS; from += piece) {
            int to = Math.min(TOKENS, from + piece);
            assertSame(whole, from, bench.run(state, Arrays.copyOfRange(x, from, to), from));
          }
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void neitherKernelsNorThreadsNorNeighboursShow(Map<String, Object> settings) {
    for (CacheFormat cache : List.of(CacheFormat.F32, CacheFormat.BF16)) {
      try (var bench =
              new MixerBench<CompressedCache>(
                  new CompressedAttention.Type(), settings, WIDTH, Kernels.chosen(), cache, 3);
          var scalar =
              new MixerBench<CompressedCache>(
                  new CompressedAttention.Type(), settings, WIDTH, Kernels.scalar(), cache, 1)) {
        double[][] x = bench.tokens(TOKENS, 5);
        List<float[][]> together =
            bench.run(
                List.of(bench.state(), bench.state(), bench.state()),
                List.of(bench.tokens(3, 1), x, bench.tokens(19, 2)),
                0);
        assertSame(scalar.run(scalar.state(), x, 0), 0, together.get(1));
      }
    }
  }

  /** Entries count like the tokens of the window. */
  @Test
  void visitsAreCounted() {
    Map<String, Object> settings = with("entries", entries(16, false));
    try (var bench = bench(settings);
        CompressedCache state = bench.state()) {
      bench.run(state, bench.tokens(TOKENS, 5), 0);
      int window = (int) settings.get("window");
      long visited = 0;
      for (int i = 1; i <= TOKENS; i++) {
        visited += Math.min(i, window) + i / 16;
      }
      int heads = (int) settings.get("heads");
      assertEquals(heads * visited, state.visits().visited());
      assertEquals(heads * (TOKENS * (TOKENS + 1L) / 2), state.visits().seen());
    }
  }

  /** Of tokens that no window reaches, their entries alone are left. */
  @Test
  void tokensBehindTheWindowAreForgotten() {
    try (var bench = bench(with("headDim", 32, "entries", entries(16, false)));
        CompressedCache state = bench.state(2000)) {
      bench.run(state, bench.tokens(300, 5), 0);
      long few = state.tokens().bytes();
      for (int position = 300; position < 1800; position += 100) {
        bench.run(state, bench.tokens(100, position), position);
      }
      assertEquals(1800 / 16, state.entries().length());
      assertTrue(state.tokens().bytes() <= 2 * few, few + " became " + state.tokens().bytes());
    }
  }

  /** A token's key is its value, and is kept once; of a block there is one entry, and one key. */
  @Test
  void aTokenIsKeptOnceAndABlockAsOneEntry() {
    int rate = 4;
    var settings = with("headDim", 32, "entries", indexed(rate, true, 2, 64, 8));
    try (var plain = bench(with("headDim", 32));
        var bench = bench(settings);
        CompressedCache state = bench.state()) {
      assertEquals(0, plain.bytesPerToken());
      assertEquals(4 * (32 + 64) / rate, bench.bytesPerToken());
      bench.run(state, bench.tokens(MixerBench.LIMIT, 5), 0);
      assertEquals(MixerBench.LIMIT, state.tokens().length());
      assertEquals(MixerBench.LIMIT / rate, state.entries().length());
      assertEquals(MixerBench.LIMIT / rate, state.index().length());
      long slots = 256 * 4 * 32 + 64 * 4 * (32 + 64);
      long means = 2 * 3 * 4 * (32 + 64);
      assertEquals(slots + means, state.bytes(), "slots come in blocks of 64");
    }
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("outGroups", 3), "heads=4 is not divisible by outGroups=3"),
        of(with("window", 0), "window=0 must be a whole number from 1 to 2147483647"),
        of(with("entries", indexed(4, true, 1, 2, 3)), "headDim=2 must hold the dims=4 that turn"),
        of(
            with("entries", Map.of("rate", 4, "overlaps", true)),
            "entries.overlaps is not a setting of compressed entries"),
        of(
            with("heads", 65_536, "headDim", 65_536),
            "heads=65536 of 65536 values are more than 2^31 − 1 values a row"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> CompressedSpec.read(Config.of("layer 0 attention", settings), 100));
    assertEquals("layer 0 attention: " + message, e.getMessage());
  }
}
