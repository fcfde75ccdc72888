package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.Visibility;
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

/** Attention against its definition, and the laws of a sequence. */
class AttentionTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 53;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all = new LinkedHashMap<>(Map.of("heads", 3, "kvHeads", 1, "headDim", 6));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("heads", 1, "headDim", 1),
        with("heads", 6, "kvHeads", 2, "headDim", 5, "valueDim", 7),
        with("heads", 7, "kvHeads", 7, "headDim", 3, "valueDim", 1, "biased", true),
        with("window", 1),
        with("window", 16, "rope", Map.of()),
        with("window", 17, "softcap", 0.5, "scale", 2),
        with("window", 5, "pinned", 3),
        with("window", 2, "pinned", 40, "rope", Map.of(), "sinks", true),
        with("sinks", true, "outBiased", true),
        with("heads", 5, "alibi", 1),
        with("heads", 12, "kvHeads", 4, "alibi", 0.5, "window", 9),
        with("gated", true, "valueDim", 9),
        with("gated", true, "gateRank", 4, "valueDim", 9, "outNorm", Map.of("epsilon", 1e-3)),
        with("rope", Map.of("layout", "interleaved", "theta", 100)),
        with("rope", Map.of("dims", 4)),
        with("norm", Map.of("over", "head"), "rope", Map.of()),
        with("norm", Map.of("over", "head", "afterRope", true), "rope", Map.of("dims", 2)),
        with("norm", Map.of("over", "each-head", "type", "layer"), "heads", 4, "kvHeads", 2),
        with("norm", Map.of("over", "row", "weighted", false), "heads", 4, "kvHeads", 2),
        with("norm", Map.of("over", "row", "afterRope", true), "rope", Map.of()),
        with("forgets", true),
        with("keysAreValues", true, "valueNorm", Map.of("epsilon", 0.1), "rope", Map.of()),
        with("valueNorm", Map.of("weighted", false), "heads", 4, "kvHeads", 2, "valueDim", 5),
        with("heads", 8, "kvHeads", 4, "valueDim", 12, "difference", Map.of("weighted", false)),
        with("heads", 2, "kvHeads", 2, "difference", Map.of("epsilon", 0.1), "biased", true),
        with("keep", 9, "heads", 4, "kvHeads", 2, "biased", true),
        with("keep", 1, "rope", Map.of()),
        with("keep", 52, "valueDim", 9),
        with("heads", 6, "kvHeads", 2, "forgets", true, "window", 17, "alibi", 1, "gated", true),
        with("scale", 0),
        with("scale", 1e-30));
  }

  private static MixerBench<KeyValueCache> bench(Map<String, Object> settings) {
    return new MixerBench<>(new Attention.Type(), settings, WIDTH);
  }

  private static void assertClose(double[][] expected, float[][] actual, double tolerance) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < WIDTH; j++) {
        assertEquals(expected[i][j], actual[i][j], tolerance, "token " + i + ", value " + j);
      }
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
    try (var bench = bench(settings);
        KeyValueCache state = bench.state()) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] expected = new NaiveAttention(settings, WIDTH, MixerBench.LIMIT).run(x);
      assertClose(expected, bench.run(state, x, 0), 1e-5);
      assertEquals(TOKENS, state.length());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void itMayBeCutAnywhereWithTheSameBits(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] whole = bench.run(bench.state(), x, 0);
      for (int cut : new int[] {1, 15, 16, 17, 33, TOKENS - 1}) {
        KeyValueCache state = bench.state();
        assertSame(whole, 0, bench.run(state, Arrays.copyOf(x, cut), 0));
        assertSame(whole, cut, bench.run(state, Arrays.copyOfRange(x, cut, TOKENS), cut));
      }
      KeyValueCache state = bench.state();
      for (int i = 0; i < TOKENS; i++) {
        assertSame(whole, i, bench.run(state, new double[][] {x[i]}, i));
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void neitherKernelsNorThreadsNorNeighboursShow(Map<String, Object> settings) {
    try (var bench = bench(settings);
        var scalar =
            new MixerBench<KeyValueCache>(
                new Attention.Type(), settings, WIDTH, Kernels.scalar(), 1)) {
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] alone = scalar.run(scalar.state(), x, 0);
      List<float[][]> together =
          bench.run(
              List.of(bench.state(), bench.state(), bench.state()),
              List.of(bench.tokens(3, 1), x, bench.tokens(19, 2)),
              0);
      assertSame(alone, 0, together.get(1));
    }
  }

  @Test
  void pinnedTokensMayBeMoreThanASpan() {
    Map<String, Object> settings = with("window", 20, "pinned", 300, "rope", Map.of());
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(620, 5);
      double[][] expected = new NaiveAttention(settings, WIDTH, MixerBench.LIMIT).run(x);
      float[][] whole = bench.run(bench.state(620), x, 0);
      assertClose(expected, whole, 1e-5);
      KeyValueCache state = bench.state(620);
      bench.run(state, Arrays.copyOf(x, 290), 0);
      assertSame(whole, 290, bench.run(state, Arrays.copyOfRange(x, 290, 619), 290));
      assertSame(whole, 619, bench.run(state, new double[][] {x[619]}, 619));
    }
  }

  /**
   * What goes out of a window's reach is forgotten, however long the runs are, and does not show.
   */
  @Test
  void whatIsForgottenDoesNotShow() {
    int tokens = 1100;
    for (Map<String, Object> settings :
        List.of(
            with("window", 90, "rope", Map.of()),
            with("window", 300, "pinned", 2, "alibi", 1),
            with("window", 1, "forgets", true),
            with("window", 255, "forgets", true, "kvHeads", 3))) {
      try (var bench = bench(settings);
          KeyValueCache state = bench.state(tokens)) {
        double[][] x = bench.tokens(tokens, 5);
        double[][] expected = new NaiveAttention(settings, WIDTH, MixerBench.LIMIT).run(x);
        float[][] whole = bench.run(bench.state(tokens), x, 0);
        assertClose(expected, whole, 1e-5);
        for (int piece = 1, from = 0, to; from < tokens; from = to, piece = piece * 5 % 613) {
          to = Math.min(tokens, from + piece);
          assertSame(whole, from, bench.run(state, Arrays.copyOfRange(x, from, to), from));
          assertTrue(state.bytes() <= bench.windowBytes(), state.bytes() + " at " + to);
        }
        assertEquals(0, bench.bytesPerToken());
      }
    }
  }

  /** Rows that see what stands after them may be computed again: what they reach is kept. */
  @Test
  void aBlockMayBeComputedAgainWhereAWindowForgets() {
    for (Visibility seen : new Visibility[] {Visibility.BIDIRECTIONAL, Visibility.SURROUNDED}) {
      try (var bench = bench(with("window", 20));
          KeyValueCache state = bench.state(1000)) {
        double[][] x = bench.tokens(1000, 5);
        bench.run(state, Arrays.copyOf(x, 700), 0);
        bench.seeing(seen);
        double[][] block = Arrays.copyOfRange(x, 700, 1000);
        float[][] first = bench.run(state, block, 700);
        assertSame(first, 0, bench.run(state, block, 700));
        assertEquals(1000, state.length());
      }
    }
  }

  /** Many tokens, so that there are several spans, which threads may share out. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void whoComputesTheSpansDoesNotShow(Map<String, Object> settings) {
    int tokens = 700;
    for (CacheFormat cache : CacheFormat.values()) {
      float[][] expected = null;
      for (int threads : new int[] {1, 2, 7}) {
        try (var bench =
            new MixerBench<KeyValueCache>(
                new Attention.Type(), settings, WIDTH, Kernels.chosen(), cache, threads)) {
          double[][] x = bench.tokens(tokens, 5);
          KeyValueCache state = bench.state(tokens);
          bench.run(state, Arrays.copyOf(x, tokens - 3), 0);
          float[][] last = bench.run(state, Arrays.copyOfRange(x, tokens - 3, tokens), tokens - 3);
          expected = expected == null ? last : expected;
          assertSame(expected, 0, last);
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aCacheOfHalfTheSizeIsNearAndKeepsTheLaws(Map<String, Object> settings) {
    try (var exact = bench(settings);
        var bench =
            new MixerBench<KeyValueCache>(
                new Attention.Type(), settings, WIDTH, Kernels.chosen(), CacheFormat.BF16, 2)) {
      boolean leveled = settings.containsKey("forgets") || settings.containsKey("keep");
      long levels = leveled ? 4L * (int) settings.get("heads") : 0;
      if (!settings.containsKey("window")) {
        assertEquals(exact.bytesPerToken() - levels, 2 * (bench.bytesPerToken() - levels));
      }
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] whole = bench.run(bench.state(), x, 0);
      float[][] near = exact.run(exact.state(), x, 0);
      assertFalse(Arrays.deepEquals(near, whole), "it must have rounded something");
      for (int i = 0; i < TOKENS; i++) {
        for (int j = 0; j < WIDTH; j++) {
          assertEquals(near[i][j], whole[i][j], 0.1f, "token " + i + ", value " + j);
        }
      }
      KeyValueCache state = bench.state();
      for (int i = 0; i < TOKENS; i++) {
        assertSame(whole, i, bench.run(state, new double[][] {x[i]}, i));
      }
    }
  }

  /** A run that looks ahead sees all of its tokens, and a window reaches both ways. */
  @Test
  void aRunMaySeeAhead() {
    for (int window : new int[] {0, 1, 5, 16, 100}) {
      for (int pinned : new int[] {0, 7}) {
        if (window == 0 && pinned > 0) {
          continue;
        }
        Map<String, Object> settings = with("window", window, "pinned", pinned, "rope", Map.of());
        try (var bench = bench(settings).seeing(Visibility.BIDIRECTIONAL)) {
          double[][] x = bench.tokens(TOKENS, 5);
          double[][] expected =
              new NaiveAttention(settings, WIDTH, MixerBench.LIMIT).lookingAhead().run(x);
          assertClose(expected, bench.run(bench.state(), x, 0), 1e-5);
        }
      }
    }
  }

  /** A block sees itself and everything before it, however often the state goes back. */
  @Test
  void aBlockSeesWhatCameBeforeIt() {
    Map<String, Object> settings = with("rope", Map.of());
    int block = 13;
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] whole =
          new NaiveAttention(settings, WIDTH, MixerBench.LIMIT).lookingAhead().run(x);
      KeyValueCache state = bench.state();
      // The keys and values of one layer do not depend on what their tokens saw.
      bench.run(state, Arrays.copyOf(x, TOKENS - block), 0);
      MixerState.Mark mark = state.mark(null);
      bench.seeing(Visibility.BIDIRECTIONAL);
      for (int again = 0; again < 2; again++) {
        float[][] last =
            bench.run(state, Arrays.copyOfRange(x, TOKENS - block, TOKENS), TOKENS - block);
        assertClose(Arrays.copyOfRange(whole, TOKENS - block, TOKENS), last, 1e-5);
        mark.rewind();
      }
    }
  }

  /** Scores in the thousands: all the weight is on one token, and the rest is zero. */
  @Test
  void extremeScoresGiveFiniteAnswers() {
    Map<String, Object> settings = with("scale", 1e4);
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] expected = new NaiveAttention(settings, WIDTH, MixerBench.LIMIT).run(x);
      assertClose(expected, bench.run(bench.state(), x, 0), 2e-2);
    }
  }

  /** A value that is no number reaches its own token and those after it, and none before. */
  @Test
  void aBadNumberIsNotHidden() {
    try (var bench = bench(with())) {
      double[][] x = bench.tokens(9, 5);
      float[][] good = bench.run(bench.state(), x, 0);
      x[4][2] = Double.NaN;
      float[][] bad = bench.run(bench.state(), x, 0);
      assertSame(good, 0, Arrays.copyOf(bad, 4));
      for (int i = 4; i < 9; i++) {
        assertEquals(Float.NaN, bad[i][0], "token " + i);
      }
    }
  }

  @Test
  void aStateGrowsByWhatTheMixerSays() {
    Map<String, Object> settings = with("heads", 6, "kvHeads", 2, "headDim", 5, "valueDim", 7);
    try (var bench = bench(settings);
        KeyValueCache state = bench.state()) {
      bench.run(state, bench.tokens(MixerBench.LIMIT, 5), 0);
      assertEquals(4 * 2 * (5 + 32), bench.bytesPerToken(), "values come in 32 lanes");
      assertEquals(256 * bench.bytesPerToken(), state.bytes(), "slots come in blocks of 64");
    }
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("kvHeads", 2), "heads=3 is not divisible by kvHeads=2"),
        of(with("kvHeads", 6), "heads=3 is not divisible by kvHeads=6"),
        of(with("heads", 0), "heads=0 must be a whole number from 1 to 2147483647"),
        of(with("pinned", 3), "pinned=3 needs a window: without one, every token sees the first"),
        of(with("window", -1), "window=-1 must be a whole number from 0 to 2147483647"),
        of(with("headDim", 5, "rope", Map.of()), "dims=5 must be even and at most headDim=5"),
        of(
            with("norm", Map.of("over", "columns")),
            "norm.over=\"columns\" is not supported; supported: head, each-head, row"),
        of(with("gateRank", 3), "gateRank=3 needs gated=true"),
        of(with("softcap", "high"), "softcap=\"high\" must be a finite number"),
        of(
            with("heads", 65_536, "headDim", 65_536),
            "heads=65536 of 65536 values are more than 2^31 − 1 values a row"),
        of(
            with("heads", 65_536, "valueDim", 65_536),
            "heads=65536 of 65536 values are more than 2^31 − 1 values a row"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> AttentionSpec.read(Config.of("layer 0 attention", settings), 100));
    assertEquals("layer 0 attention: " + message, e.getMessage());
  }
}
