package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.MixerType;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.testing.MixerBench;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Mixers over keys and values that settle: the laws hold, and what has not settled is exact. */
class SettlingCacheTest {

  private static final int WIDTH = 12;
  private static final int TOKENS = 2 * Attention.SPAN + 70;

  private record Case(String name, MixerType type, Map<String, Object> settings) {
    @Override
    public String toString() {
      return name;
    }

    MixerBench<MixerState> bench(CacheFormat cache, int threads) {
      return new MixerBench<>(type, settings, WIDTH, Kernels.chosen(), cache, threads);
    }
  }

  private static Case attention(String name, Object... more) {
    var settings =
        new HashMap<String, Object>(
            Map.of("heads", 4, "kvHeads", 2, "headDim", 6, "rope", Map.of("dim", 6)));
    for (int i = 0; i < more.length; i += 2) {
      settings.put((String) more[i], more[i + 1]);
    }
    return new Case(name, new dev.apus.attention.softmax.Attention.Type(), settings);
  }

  private static Case choice(String kind, Object... more) {
    var select = new HashMap<String, Object>(Map.of("kind", kind));
    for (int i = 0; i < more.length; i += 2) {
      select.put((String) more[i], more[i + 1]);
    }
    return attention(kind, "select", select);
  }

  static Stream<Case> cases() {
    var sparse =
        Map.<String, Object>of(
            "heads", 4, "kvHeads", 1, "headDim", 6, "block", 16, "top", 4, "window", 40);
    var latent =
        Map.<String, Object>of(
            "heads",
            3,
            "latent",
            8,
            "ownDim",
            5,
            "sharedDim",
            4,
            "valueDim",
            7,
            "rope",
            Map.of("dim", 4));
    return Stream.of(
        attention("plain"),
        attention("forgetting", "forgets", true),
        attention("masked", "keep", 50),
        attention("windowed", "window", 300, "pinned", 3),
        choice("streaming", "sinks", 4, "window", 280),
        choice("quest", "page", 16, "budget", 128, "skip", 0),
        choice("moba", "block", 96, "top", 3),
        choice("vertical-slash", "block", 64, "vertical", 40, "slash", 80),
        choice("xattention", "block", 64, "stride", 8, "mass", 0.7),
        choice("duo", "full", "0/1"),
        choice("dilated", "count", 50, "step", 7),
        new Case("latent", new LatentAttention.Type(), latent),
        new Case("sparse", new NativeSparseAttention.Type(), sparse));
  }

  private static float[][] cut(MixerBench<MixerState> bench, double[][] x, int... ends) {
    float[][] y = new float[x.length][];
    try (MixerState state = bench.state(x.length)) {
      int from = 0;
      for (int end : ends) {
        float[][] some = bench.run(state, Arrays.copyOfRange(x, from, end), from);
        System.arraycopy(some, 0, y, from, some.length);
        from = end;
      }
    }
    return y;
  }

  private static void assertSame(float[][] expected, float[][] actual, int from, String what) {
    for (int i = 0; i < actual.length; i++) {
      assertArrayEquals(expected[from + i], actual[i], what + ", token " + (from + i));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void aTextMayBeCutAnywhere(Case mixer) {
    for (CacheFormat cache : List.of(CacheFormat.Q8, CacheFormat.Q4)) {
      try (var bench = mixer.bench(cache, 2);
          var alone = mixer.bench(cache, 1)) {
        double[][] x = bench.tokens(TOKENS, 5);
        float[][] whole = cut(bench, x, TOKENS);
        int grain = bench.grain();
        int[] ends = Stream.of(64, 192, 256, 320, 512, TOKENS).mapToInt(i -> i).toArray();
        assertSame(whole, cut(alone, x, ends), 0, cache + " in pieces");
        if (grain == 1) {
          int[] each = new int[TOKENS];
          Arrays.setAll(each, i -> i + 1);
          assertSame(whole, cut(alone, x, each), 0, cache + " one by one");
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void marksCopiesAndNeighboursDoNotShow(Case mixer) {
    try (var bench = mixer.bench(CacheFormat.Q4, 2)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] other = bench.tokens(TOKENS, 6);
      float[][] whole = cut(bench, x, TOKENS);
      int from = 192;
      try (MixerState state = bench.state(TOKENS);
          MixerState second = bench.state(TOKENS)) {
        bench.run(state, Arrays.copyOf(x, from), 0);
        bench.run(second, Arrays.copyOf(other, from), 0);
        double[][] rest = Arrays.copyOfRange(x, from, TOKENS);
        try (MixerState.Mark mark = state.mark(null);
            MixerState copy = state.copy()) {
          bench.run(state, Arrays.copyOfRange(other, from, TOKENS), from);
          mark.rewind();
          double[][] others = Arrays.copyOfRange(other, from, TOKENS);
          float[][] first = bench.run(List.of(second, state), List.of(others, rest), from).get(1);
          assertSame(whole, first, from, "after a mark, beside another");
          assertSame(whole, bench.run(copy, rest, from), from, "a copy");
          mark.rewind();
          assertSame(whole, bench.run(state, rest, from), from, "after a mark");
        }
      }
    }
  }

  /** Within its first span a text sees nothing that is rounded; behind it, little. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void whatHasNotSettledIsExact(Case mixer) {
    try (var exact = mixer.bench(CacheFormat.F32, 2);
        var bench = mixer.bench(CacheFormat.Q8, 2)) {
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] wanted = cut(exact, x, TOKENS);
      float[][] found = cut(bench, x, TOKENS);
      assertSame(wanted, Arrays.copyOf(found, Attention.SPAN), 0, "first span");
      assertFalse(Arrays.deepEquals(wanted, found), "it must have rounded something");
      double off = 0;
      double all = 0;
      for (int i = 0; i < TOKENS; i++) {
        for (int j = 0; j < WIDTH; j++) {
          off += Math.pow(wanted[i][j] - found[i][j], 2);
          all += Math.pow(wanted[i][j], 2);
        }
      }
      // Choices that another rounding would make otherwise cost more than the rounding.
      double most =
          mixer.settings.containsKey("select") || mixer.name.equals("sparse") ? 0.2 : 0.02;
      assertTrue(Math.sqrt(off / all) < most, "off by " + Math.sqrt(off / all));
    }
  }

  @Test
  void bytesAreCounted() {
    Case mixer = attention("plain", "headDim", 32, "kvHeads", 1, "rope", Map.of("dim", 32));
    try (var bytes = mixer.bench(CacheFormat.Q8, 1);
        var nibbles = mixer.bench(CacheFormat.Q4, 1)) {
      assertEquals(2 * 36, bytes.bytesPerToken());
      assertEquals(2 * 20, nibbles.bytesPerToken());
      assertEquals(256 * 2 * 32 * 4, bytes.windowBytes());
      assertEquals(256 * 2 * 32 * 2, nibbles.windowBytes());
      MixerState state = nibbles.state(TOKENS);
      nibbles.run(state, nibbles.tokens(TOKENS, 3), 0);
      assertEquals(512 * 2 * 20 + 128 * 2 * 32 * 2, state.bytes());
      state.close();
    }
  }

  @Test
  void whoReadsKeysInWaysOfItsOwnIsRefused() {
    for (Case mixer :
        List.of(
            choice("h2o"),
            choice("snapkv"),
            choice("tova"),
            new Case(
                "path",
                new PathAttention.Type(),
                Map.of("heads", 2, "kvHeads", 1, "headDim", 4)))) {
      var e = assertThrows(ConfigException.class, () -> mixer.bench(CacheFormat.Q4, 1));
      assertTrue(e.getMessage().contains("Q4"), e.getMessage());
      assertTrue(e.getMessage().contains("bf16"), e.getMessage());
    }
  }
}
