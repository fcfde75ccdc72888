package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.attention.softmax.NaiveAttention.Visits;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Visibility;
import dev.apus.kernels.Kernels;
import dev.apus.testing.MixerBench;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every pattern against attention to all keys under the mask that it is defined by. */
class PatternedKeysTest {

  private static final int WIDTH = 11;

  /** Odd, several spans, and no multiple of any block. */
  private static final int TOKENS = 587;

  private static Map<String, Object> select(String kind, Object... settings) {
    Map<String, Object> select = new HashMap<>(Map.of("kind", kind));
    for (int i = 0; i < settings.length; i += 2) {
      select.put((String) settings[i], settings[i + 1]);
    }
    Map<String, Object> all = new HashMap<>();
    all.put("heads", 4);
    all.put("kvHeads", 2);
    all.put("headDim", 6);
    all.put("rope", Map.of());
    all.put("select", select);
    return all;
  }

  private static Map<String, Object> with(Map<String, Object> settings, String key, Object value) {
    Map<String, Object> all = new HashMap<>(settings);
    all.put(key, value);
    return all;
  }

  private static int one(boolean seen) {
    return seen ? 1 : 0;
  }

  private static Visits strided(int stride) {
    return (i, j, head, n) -> one(Math.abs(i - j) < stride || (i - j) % stride == 0);
  }

  private static Visits fixed(int block, int summary) {
    return (i, j, head, n) -> one(i / block == j / block || j % block >= block - summary);
  }

  private static Visits dilated(int count, int step) {
    return (i, j, head, n) -> one((i - j) % step == 0 && Math.abs(i - j) <= (count - 1) * step);
  }

  private static Visits axial(int width) {
    return (i, j, head, n) -> one(i / width == j / width || (i - j) % width == 0);
  }

  private static Visits global(int window, Integer... tokens) {
    Set<Integer> all = Set.of(tokens);
    return (i, j, head, n) -> one(Math.abs(i - j) < window || all.contains(i) || all.contains(j));
  }

  private static Visits segments(int[] sizes, int[] rates) {
    return (i, j, head, n) -> {
      int count = 0;
      for (int k = 0; k < sizes.length; k++) {
        int place = head % rates[k];
        boolean both = i % sizes[k] % rates[k] == place && j % sizes[k] % rates[k] == place;
        count += one(both && i / sizes[k] == j / sizes[k]);
      }
      return count;
    };
  }

  /** Without draws: the first and last block, those near, and the first one more often. */
  private static Visits blocks(int block, int near, int firstCounts, boolean causal) {
    return (i, j, head, n) -> {
      int own = i / block;
      int other = j / block;
      int last = causal ? Integer.MAX_VALUE : (n - 1) / block;
      if (own == 0 || own == last) {
        return 1;
      }
      return other == 0 ? firstCounts : one(Math.abs(own - other) <= near || other == last);
    };
  }

  static Stream<Arguments> patterns() {
    return Stream.of(
        of(select("strided", "stride", 24), strided(24)),
        of(select("strided", "stride", 1), strided(1)),
        of(select("strided", "stride", 1000), strided(1000)),
        of(with(select("fixed", "block", 50, "summary", 7), "alibi", 1), fixed(50, 7)),
        of(select("fixed", "block", 9, "summary", 9), fixed(9, 9)),
        of(select("dilated", "count", 20, "step", 7), dilated(20, 7)),
        of(select("dilated", "count", 3, "step", 300), dilated(3, 300)),
        of(with(select("dilated", "count", 9, "step", 2), "forgets", true), dilated(9, 2)),
        of(select("axial", "width", 31), axial(31)),
        of(select("chunks", "size", 37), (Visits) (i, j, head, n) -> one(i / 37 == j / 37)),
        of(select("chunks", "size", 300), (Visits) (i, j, head, n) -> one(i / 300 == j / 300)),
        of(
            with(select("global", "tokens", List.of(40, 0, 300, 303)), "window", 20),
            global(20, 0, 40, 300, 303)),
        of(with(select("global", "tokens", List.of()), "window", 300), global(300)),
        of(
            select("segments", "sizes", List.of(32, 128, 1024), "rates", List.of(1, 2, 4)),
            segments(new int[] {32, 128, 1024}, new int[] {1, 2, 4})),
        of(
            select("segments", "sizes", List.of(16, 50), "rates", List.of(1, 1)),
            segments(new int[] {16, 50}, new int[] {1, 1})));
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

  private static void check(Map<String, Object> settings, Visits causal, Visits ahead) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      NaiveAttention naive = new NaiveAttention(settings, WIDTH, MixerBench.LIMIT);
      float[][] whole = bench.run(bench.state(TOKENS), x, 0);
      // Levels of a span are kept as sums, which are hundreds here.
      double tolerance = settings.containsKey("forgets") ? 5e-5 : 1e-5;
      assertClose(naive.visiting(causal).run(x), whole, tolerance);
      KeyValueCache state = bench.state(TOKENS);
      for (int piece = 1, from = 0, to; from < TOKENS; from = to, piece = piece * 7 % 193) {
        to = Math.min(TOKENS, from + piece);
        assertSame(whole, from, bench.run(state, Arrays.copyOfRange(x, from, to), from));
      }
      if (bench.windowBytes() > 0) {
        assertTrue(state.bytes() <= bench.windowBytes(), state.bytes() + " bytes");
      }
      if (!settings.containsKey("forgets")) {
        bench.seeing(Visibility.BIDIRECTIONAL);
        float[][] both = bench.run(bench.state(TOKENS), x, 0);
        assertClose(naive.visiting(ahead).lookingAhead().run(x), both, tolerance);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("patterns")
  void aPatternIsAMask(Map<String, Object> settings, Visits visits) {
    check(settings, visits, visits);
  }

  @Test
  void blocksAreAMask() {
    for (int firstCounts : new int[] {1, 4}) {
      Map<String, Object> settings =
          select("blocks", "block", 24, "near", 2, "firstCounts", firstCounts);
      check(settings, blocks(24, 2, firstCounts, true), blocks(24, 2, firstCounts, false));
    }
    check(
        select("blocks", "block", 24, "firstCounts", 2, "whole", TOKENS),
        blocks(24, 1, 2, true),
        (i, j, head, n) -> 1);
  }

  /** Each head draws blocks of its own, the same ones every time, and none twice. */
  @Test
  void blocksAreDrawn() {
    RandomBlocks pattern = new RandomBlocks(10, 1, 3, 7, 1, 0);
    for (boolean causal : new boolean[] {true, false}) {
      var text = new KeyPattern.Text(503, causal);
      List<String> drawn = new ArrayList<>();
      for (int head = 0; head < 3; head++) {
        var visits = pattern.visits(200, 207, head, text);
        assertEquals(1, visits.size());
        int[] ranges = visits.getFirst().ranges();
        int slots = 0;
        for (int i = 0; i < visits.getFirst().count(); i++) {
          slots += ranges[2 * i + 1] - ranges[2 * i];
        }
        // The first, the one before, its own so far; or three near and the last, of three tokens.
        assertEquals(causal ? 30 + 10 + 10 + 7 : 30 + 10 + 30 + 3, slots);
        drawn.add(Arrays.toString(ranges));
      }
      assertEquals(3, Set.copyOf(drawn).size());
      assertEquals(
          drawn.getFirst(), Arrays.toString(pattern.visits(200, 207, 0, text).getFirst().ranges()));
    }
    // Where there are no more blocks than may be drawn, all are seen.
    var few = pattern.visits(40, 41, 0, new KeyPattern.Text(41, true)).getFirst();
    assertArrayEquals(new int[] {0, 41}, Arrays.copyOf(few.ranges(), 2 * few.count()));
  }

  @Test
  void drawnBlocksKeepTheLawsOfASequence() {
    Map<String, Object> settings = select("blocks", "block", 16, "random", 2, "seed", 3);
    try (var bench = bench(settings);
        var scalar =
            new MixerBench<KeyValueCache>(
                new Attention.Type(), settings, WIDTH, Kernels.scalar(), 1)) {
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] whole = scalar.run(scalar.state(TOKENS), x, 0);
      KeyValueCache state = bench.state(TOKENS);
      for (int from = 0, to; from < TOKENS; from = to) {
        to = Math.min(TOKENS, from + 101);
        assertSame(whole, from, bench.run(state, Arrays.copyOfRange(x, from, to), from));
      }
    }
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(
            select("spiral"),
            "select.kind=\"spiral\" is not supported; supported: axial, blocks, chunks"),
        of(
            select("fixed", "block", 4, "summary", 5),
            "select.summary=5 is more than select.block=4"),
        of(
            select("chunks", "size", 4, "stride", 2),
            "select.stride is not a setting of chunks; there are: size"),
        of(select("global", "tokens", List.of(1)), "needs a window"),
        of(with(select("chunks", "size", 4), "window", 9), "has no window"),
        of(
            select("segments", "sizes", List.of(4), "rates", List.of(2)),
            "rates must have a 1: else there are tokens that see nothing"),
        of(
            with(
                select("segments", "sizes", List.of(4, 8), "rates", List.of(1, 2)),
                "forgets",
                true),
            "heads that forget and share a key must visit the same slots"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void whatCannotRunIsRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> AttentionSpec.read(Config.of("layer 0 attention", settings), 100));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }
}
