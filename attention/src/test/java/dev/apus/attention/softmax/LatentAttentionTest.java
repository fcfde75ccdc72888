package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.testing.MixerBench;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Latent attention against its definition, with keys and values of each head, and its laws. */
class LatentAttentionTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 53;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(
            Map.of("heads", 3, "latent", 9, "ownDim", 5, "sharedDim", 4, "valueDim", 7));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  private static Map<String, Object> tied(Object... settings) {
    Map<String, Object> all = with(settings);
    all.remove("valueDim");
    all.put("tied", true);
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("heads", 1, "latent", 1, "ownDim", 1, "sharedDim", 0, "valueDim", 1),
        with("sharedDim", 0, "queryLatent", 3),
        with("queryLatent", 6, "biased", true, "outBiased", true),
        with("rope", Map.of("layout", "interleaved", "theta", 100), "scale", 0.7),
        with("rope", Map.of(), "latent", 40, "heads", 17, "valueDim", 33),
        with("norm", Map.of("type", "layer", "biased", true), "queryLatent", 5),
        with("heads", 6, "groups", 3),
        with("heads", 4, "groups", 2, "queryLatent", 5, "biased", true, "rope", Map.of()),
        tied("heads", 6, "groups", 3, "rope", Map.of()),
        tied("ownDim", 9, "sharedDim", 0),
        tied("ownDim", 1, "queryLatent", 4, "norm", Map.of("type", "rms")),
        with("queryLatent", 6, "index", index(1, 4, 1, "halves")),
        with("queryLatent", 6, "rope", Map.of(), "index", index(3, 5, 7, "interleaved")),
        with(
            "queryLatent",
            5,
            "biased",
            true,
            "rope",
            Map.of("layout", "interleaved", "theta", 100),
            "index",
            index(12, 33, 17, "halves")),
        with("queryLatent", 4, "latent", 40, "heads", 17, "index", index(2, 3, 20, "halves")),
        with("queryLatent", 4, "sharedDim", 0, "index", index(2, 3, TOKENS + 1, "halves")));
  }

  /** The settings of an indexer. */
  static Map<String, Object> index(int heads, int headDim, int top, String layout) {
    return Map.of("heads", heads, "headDim", headDim, "top", top, "layout", layout);
  }

  private static MixerBench<KeyValueCache> bench(Map<String, Object> settings) {
    return new MixerBench<>(new LatentAttention.Type(), settings, WIDTH);
  }

  /** The definition in double precision: every head's keys and values are made. */
  static double[][] exact(Map<String, Object> settings, double[][] x) {
    var s = LatentSpec.read(Config.of("exact", settings), MixerBench.LIMIT);
    double[][] q = new double[x.length][];
    double[][] latent = new double[x.length][];
    double[][] shared = new double[x.length][];
    double[][] asking = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      double[] asked = x[i];
      if (s.queryLatent() > 0) {
        asked = normed(s, "q.norm", projected(s, "q.latent", s.queryLatent(), x[i]));
      }
      asking[i] = asked;
      q[i] = times(matrix("q", s.heads() * s.queryDim(), asked.length), asked);
      latent[i] = projected(s, "latent", s.groups() * s.latent(), x[i]);
      for (int at = 0; at < latent[i].length; at += s.latent()) {
        double[] one = Arrays.copyOfRange(latent[i], at, at + s.latent());
        System.arraycopy(normed(s, "latent.norm", one), 0, latent[i], at, one.length);
      }
      shared[i] =
          s.sharedDim() == 0 ? new double[0] : projected(s, "k.shared", s.sharedDim(), x[i]);
      turn(s, shared[i], 0, i);
      for (int head = 0; head < s.heads(); head++) {
        turn(s, q[i], head * s.queryDim() + s.ownDim(), i);
      }
    }
    boolean[][] seen = seen(s, x, asking);
    double[][] y = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      double[] o = new double[s.heads() * s.valueDim()];
      for (int head = 0; head < s.heads(); head++) {
        attend(s, seen[i], i, head, q[i], latent, shared, o);
      }
      y[i] = times(matrix("o", WIDTH, o.length), o);
      if (s.outBiased()) {
        add(vector("o.bias", WIDTH, Typical.BIAS), y[i]);
      }
    }
    return y;
  }

  /** Which tokens each token attends to of those before it. */
  private static boolean[][] seen(LatentSpec s, double[][] x, double[][] asking) {
    if (s.index() == null) {
      boolean[][] all = new boolean[x.length][x.length];
      for (boolean[] row : all) {
        Arrays.fill(row, true);
      }
      return all;
    }
    boolean turns = s.rope() != null;
    double theta = turns ? s.rope().theta() : 1;
    return new NaiveIndexer(s.index(), turns ? s.sharedDim() : 0, theta).choose(x, asking);
  }

  private static void attend(
      LatentSpec s,
      boolean[] seen,
      int i,
      int head,
      double[] q,
      double[][] latent,
      double[][] shared,
      double[] o) {
    // The file has the key matrices turned: a row for each value of the latent.
    double[][] keys = s.tied() ? null : rows("k", s.heads() * s.latent(), s.ownDim(), null);
    double[][] values = s.tied() ? null : rows("v", s.heads() * s.valueDim(), s.latent(), null);
    int at = head * s.queryDim();
    int first = head / (s.heads() / s.groups()) * s.latent();
    double[] weights = new double[i + 1];
    double sum = 0;
    for (int j = 0; j <= i; j++) {
      if (!seen[j]) {
        continue;
      }
      double score = 0;
      for (int d = 0; d < s.ownDim(); d++) {
        double key = s.tied() ? latent[j][first + d] : 0;
        for (int c = 0; !s.tied() && c < s.latent(); c++) {
          key += keys[head * s.latent() + c][d] * latent[j][first + c];
        }
        score += q[at + d] * key;
      }
      for (int d = 0; d < s.sharedDim(); d++) {
        score += q[at + s.ownDim() + d] * shared[j][d];
      }
      weights[j] = Math.exp(score * s.scale());
      sum += weights[j];
    }
    for (int j = 0; j <= i; j++) {
      for (int d = 0; d < s.valueDim(); d++) {
        double value = s.tied() ? latent[j][first + d] : 0;
        for (int c = 0; !s.tied() && c < s.latent(); c++) {
          value += values[head * s.valueDim() + d][c] * latent[j][first + c];
        }
        o[head * s.valueDim() + d] += weights[j] / sum * value;
      }
    }
  }

  private static double[] projected(LatentSpec s, String name, int outputs, double[] x) {
    double[] y = times(matrix(name, outputs, WIDTH), x);
    if (s.biased()) {
      add(vector(name + ".bias", outputs, Typical.BIAS), y);
    }
    return y;
  }

  private static double[] normed(LatentSpec s, String name, double[] x) {
    if (s.norm() == null) {
      return x;
    }
    double mean = s.norm().biased() ? Arrays.stream(x).average().orElseThrow() : 0;
    double squares = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
    double[] weight = vector(name, x.length, Typical.NORM);
    double[] result = new double[x.length];
    Arrays.setAll(result, i -> (x[i] - mean) / Math.sqrt(squares + s.norm().epsilon()) * weight[i]);
    if (s.norm().biased()) {
      add(vector(name + ".bias", x.length, Typical.BIAS), result);
    }
    return result;
  }

  private static void add(double[] x, double[] y) {
    Arrays.setAll(y, i -> y[i] + x[i]);
  }

  private static void turn(LatentSpec s, double[] x, int at, int position) {
    if (s.rope() == null) {
      return;
    }
    boolean halves = s.rope().layout().name().equals("HALVES");
    int pairs = s.sharedDim() / 2;
    for (int i = 0; i < pairs; i++) {
      double angle = position * Math.pow(s.rope().theta(), -1.0 * i / pairs);
      int first = at + (halves ? i : 2 * i);
      int second = first + (halves ? pairs : 1);
      double a = x[first];
      double b = x[second];
      x[first] = a * Math.cos(angle) - b * Math.sin(angle);
      x[second] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  }

  private static void assertSame(float[][] whole, int from, float[][] part) {
    for (int i = 0; i < part.length; i++) {
      assertArrayEquals(whole[from + i], part[i], "token " + (from + i));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsDefinitionSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] expected = exact(settings, x);
      float[][] actual = bench.run(bench.state(), x, 0);
      for (int i = 0; i < TOKENS; i++) {
        for (int j = 0; j < WIDTH; j++) {
          assertEquals(expected[i][j], actual[i][j], 1e-5, "token " + i + ", value " + j);
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void itMayBeCutAnywhereWithTheSameBits(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] whole = bench.run(bench.state(), x, 0);
      for (int cut : new int[] {1, 15, 16, 17, TOKENS - 1}) {
        KeyValueCache state = bench.state();
        assertSame(whole, 0, bench.run(state, Arrays.copyOf(x, cut), 0));
        assertSame(whole, cut, bench.run(state, Arrays.copyOfRange(x, cut, TOKENS), cut));
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void neitherKernelsNorThreadsNorNeighboursShow(Map<String, Object> settings) {
    for (CacheFormat cache : CacheFormat.values()) {
      if (cache.settles() && settings.containsKey("index")) {
        continue;
      }
      try (var bench =
              new MixerBench<KeyValueCache>(
                  new LatentAttention.Type(), settings, WIDTH, Kernels.chosen(), cache, 3);
          var scalar =
              new MixerBench<KeyValueCache>(
                  new LatentAttention.Type(), settings, WIDTH, Kernels.scalar(), cache, 1)) {
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

  /** Whatever the number of heads, a token leaves one key and one value of each group behind. */
  @Test
  void aTokenLeavesItsLatentBehind() {
    try (var few = bench(with("heads", 1, "latent", 32));
        var many = bench(with("heads", 24, "latent", 32));
        KeyValueCache state = many.state()) {
      assertEquals(4 * (4 + 32 + 32), few.bytesPerToken());
      assertEquals(few.bytesPerToken(), many.bytesPerToken());
      try (var grouped = bench(with("heads", 24, "groups", 2, "latent", 32));
          var tied = bench(tied("heads", 24, "groups", 2, "latent", 32))) {
        assertEquals(2 * 4 * (4 + 32 + 32), grouped.bytesPerToken());
        assertEquals(2 * 4 * (4 + 5 + 32), tied.bytesPerToken());
      }
      many.run(state, many.tokens(MixerBench.LIMIT, 5), 0);
      assertEquals(256 * many.bytesPerToken(), state.bytes(), "slots come in blocks of 64");
    }
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("latent", 0), "latent=0 must be a whole number from 1 to 2147483647"),
        of(
            with("sharedDim", 0, "rope", Map.of()),
            "rope turns what heads share of a key, and sharedDim=0"),
        of(with("sharedDim", 5, "rope", Map.of()), "dims=5 must be even and at most headDim=5"),
        of(
            with("heads", 65_536, "latent", 65_536),
            "heads=65536 of 65540 values are more than 2^31 − 1 values a row"),
        of(
            with("heads", 1024, "latent", 65_536, "ownDim", 64),
            "heads=1024 with latent=65536 have matrices of more than 2^31 − 1 values"),
        of(with("groups", 2), "heads=3 cannot share groups=2 latents evenly"),
        of(
            tied("ownDim", 10),
            "a tied latent holds the key and is the value: ownDim=10 must be at most latent=9, and"
                + " valueDim=9 that"),
        of(
            with("tied", true),
            "a tied latent holds the key and is the value: ownDim=5 must be at most latent=9, and"
                + " valueDim=7 that"),
        of(
            tied("queryLatent", 2, "index", index(1, 1, 1, "halves")),
            "what an index chooses has one latent, which is not tied"),
        of(
            with("index", index(1, 1, 1, "halves")),
            "an index asks by the latents of the queries, and queryLatent=0"),
        of(
            with("queryLatent", 2, "rope", Map.of(), "index", index(1, 3, 1, "halves")),
            "headDim=3 of the index must not be less than the 4 values that turn"),
        of(
            with("queryLatent", 2, "index", index(1, 3, 0, "halves")),
            "index.top=0 must be a whole number from 1 to 2147483647"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> LatentSpec.read(Config.of("layer 0 attention", settings), 100));
    assertEquals("layer 0 attention: " + message, e.getMessage());
  }
}
