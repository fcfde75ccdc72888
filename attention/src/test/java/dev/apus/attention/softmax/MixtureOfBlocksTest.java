package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention to chosen blocks against its definition, and the laws of a sequence. */
class MixtureOfBlocksTest {

  private static final int WIDTH = 11;

  private static Map<String, Object> with(int block, int top, Object... settings) {
    Map<String, Object> all = new LinkedHashMap<>(Map.of("heads", 4, "kvHeads", 2, "headDim", 6));
    all.put("select", Map.of("kind", "moba", "block", block, "top", top));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(4, 3),
        with(1, 5, "kvHeads", 4),
        with(7, 2, "heads", 3, "kvHeads", 1, "rope", Map.of(), "sinks", true),
        with(16, 3, "outNorm", Map.of(), "gated", true, "gateRank", 2, "softcap", 2),
        with(100, 2, "valueDim", 3));
  }

  private static MixerBench<KeyValueCache> bench(Map<String, Object> settings) {
    return new MixerBench<>(new Attention.Type(), settings, WIDTH);
  }

  @ParameterizedTest
  @MethodSource("settings")
  void isWhatItsDefinitionSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(230, 5);
      double[][] expected = new NaiveAttention(settings, WIDTH, MixerBench.LIMIT).run(x);
      new MixerLaws(new Attention.Type(), settings, WIDTH).aSequenceIs(expected, x, 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void theLawsHold(Map<String, Object> settings) throws IOException {
    new MixerLaws(new Attention.Type(), settings, WIDTH).holdWhileTheStateGrows();
  }

  /** Blocks of several spans, and such as lie across their ends. */
  @ParameterizedTest
  @ValueSource(ints = {64, 100, 256, 300, 512})
  void blocksMayBeLargerThanSpans(int block) {
    int tokens = 1300;
    Map<String, Object> settings = with(block, 3);
    for (CacheFormat cache : CacheFormat.values()) {
      float[][] whole = null;
      for (int threads : new int[] {1, 2, 7}) {
        try (var bench =
            new MixerBench<KeyValueCache>(
                new Attention.Type(), settings, WIDTH, Kernels.chosen(), cache, threads)) {
          double[][] x = bench.tokens(tokens, 5);
          KeyValueCache state = bench.state(tokens);
          float[][] y = bench.run(state, Arrays.copyOf(x, tokens - 1), 0);
          float[][] last = bench.run(state, new double[][] {x[tokens - 1]}, tokens - 1);
          whole = whole == null ? bench.run(bench.state(tokens), x, 0) : whole;
          assertArrayEquals(Arrays.copyOf(whole, tokens - 1), y);
          assertArrayEquals(whole[tokens - 1], last[0]);
        }
      }
      if (cache == CacheFormat.F32) {
        try (var bench = bench(settings)) {
          double[][] x = bench.tokens(tokens, 5);
          double[][] expected = new NaiveAttention(settings, WIDTH, tokens).run(x);
          for (int i = 0; i < tokens; i++) {
            for (int j = 0; j < WIDTH; j++) {
              assertEquals(expected[i][j], whole[i][j], 2e-5, "token " + i);
            }
          }
        }
      }
    }
  }

  /** Queries that are collected for a block have the bits of queries by themselves. */
  @ParameterizedTest
  @ValueSource(ints = {3, 64, 300})
  void visitsTogetherAreVisitsAlone(int block) {
    var heads = new Heads(2, 2);
    var traits = new Traits(6, 5, 0.4f, 0);
    var kernel = Kernels.chosen().attention(CacheFormat.F32);
    var selection = new MixtureOfBlocks(block, 3);
    var layout = new CacheLayout(kernel, 2, 2, 6, 5, 0, selection.summary(kernel));
    KeySelection alone = (pass, runs, q, all) -> selection.tiles(pass, runs, q, all);
    int tokens = 700;
    try (Workers workers = Workers.of(2);
        var cache = new KeyValueCache(layout, tokens, null);
        var other = new KeyValueCache(layout, tokens, null)) {
      var pass = new Pass(workers, Kernels.chosen());
      cache.append(pass, random(1, tokens, 12), random(2, tokens, 10), 0, tokens);
      other.append(pass, random(3, tokens, 12), random(4, tokens, 10), 0, 90);
      List<Run<KeyValueCache>> runs =
          List.of(new Run<>(cache, 0, 500, 200), new Run<>(other, 500, 540, 50));
      Matrix q = random(5, 540, 24);
      var biases = new Biases(null, new float[] {0.1f, -2, 3, 0.5f}, 0);
      float[] together = attended(kernel, traits, heads, selection, biases, pass, runs, q);
      assertArrayEquals(attended(kernel, traits, heads, alone, biases, pass, runs, q), together);
    }
  }

  private static float[] attended(
      dev.apus.kernels.attention.Attention kernel,
      Traits traits,
      Heads heads,
      KeySelection selection,
      Biases biases,
      Pass pass,
      List<Run<KeyValueCache>> runs,
      Matrix q) {
    Matrix o = Matrix.zeros(q.rows(), 20);
    new AttentionTiles(kernel, traits, heads, selection, biases).attend(pass, runs, q, o);
    return o.data();
  }

  private static Matrix random(long seed, int rows, int cols) {
    var random = new SplittableRandom(seed);
    Matrix x = Matrix.zeros(rows, cols);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = (float) random.nextGaussian();
    }
    return x;
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with(4, 1), "select.top=1: a query visits its own block and at least one other"),
        of(with(4, 3, "window", 9), "select.kind=\"moba\" has no window and no pinned tokens"),
        of(
            with(4, 3, "alibi", 1),
            "select.kind=\"moba\": scores that depend on positions cannot be shared by blocks"),
        of(
            with(4, 3, "select", Map.of("kind", "best")),
            "select.kind=\"best\" is not supported; supported: axial, blocks, chunks, dilated, duo,"
                + " fixed, full, global, h2o, moba, neighbours, quest, segments, snapkv, streaming,"
                + " strided, tova, vertical-slash, xattention"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> AttentionSpec.read(Config.of("layer 0 attention", settings), 100));
    assertEquals("layer 0 attention: " + message, e.getMessage());
  }
}
