package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.AttentionPolicy;
import dev.apus.core.model.MixerState;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.testing.MixerBench;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Policies against their definitions, and what holds under all of them. */
class SelectionTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 331;
  private static final Map<String, Object> LAYER =
      Map.of("heads", 4, "kvHeads", 2, "headDim", 6, "rope", Map.of());

  /** A layer with a policy in its written form. */
  private static Map<String, Object> with(String policy, Object... settings) {
    Map<String, Object> all = new LinkedHashMap<>(LAYER);
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    AttentionPolicy parsed = AttentionPolicy.parse(policy);
    Map<String, Object> select = new LinkedHashMap<>(parsed.settings());
    select.put("kind", parsed.kind());
    all.put("select", select);
    return all;
  }

  private static MixerBench<KeyValueCache> bench(Map<String, Object> settings) {
    return new MixerBench<>(new Attention.Type(), settings, WIDTH);
  }

  static Stream<Arguments> definitions() {
    return Stream.of(
        of("streaming:sinks=3,window=20,positions=text", NaivePolicies.near(3, 20)),
        of("streaming:sinks=300,window=7,positions=text", NaivePolicies.near(300, 7)),
        of("streaming:sinks=0,window=1", NaivePolicies.near(0, 1)),
        of("duo:full=0/1,sinks=2,window=33", NaivePolicies.near(2, 33, false, true)),
        of("duo:full=1/0+0/*,sinks=2,window=33", NaivePolicies.near(2, 33, true, true)),
        of("quest:page=16,budget=64,skip=0", NaivePolicies.quest(16, 64)),
        of("quest:page=5,budget=23,skip=0", NaivePolicies.quest(5, 23)),
        of("h2o:budget=40", NaivePolicies.h2o(40, 20)),
        of("h2o:budget=7,recent=0", NaivePolicies.h2o(7, 0)),
        of("h2o:budget=9,recent=9", NaivePolicies.h2o(9, 9)),
        of("tova:budget=40", NaivePolicies.tova(40)),
        of("tova:budget=1", NaivePolicies.tova(1)),
        of("xattention:block=32,stride=8,mass=0.5", NaivePolicies.xAttention(32, 8, 0.5)),
        of("xattention:block=12,stride=3,mass=0.01", NaivePolicies.xAttention(12, 3, 0.01)),
        of(
            "vertical-slash:block=64,vertical=37,slash=110",
            NaivePolicies.verticalSlash(64, 37, 110)),
        of(
            "vertical-slash:block=128,vertical=50,slash=9",
            NaivePolicies.verticalSlash(128, 50, 9)));
  }

  private static NaiveAttention exact(Map<String, Object> settings, NaivePolicies.Choice choice) {
    return new NaiveAttention(settings, WIDTH, MixerBench.LIMIT).choosing(choice);
  }

  private static void assertClose(double[][] expected, float[][] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < WIDTH; j++) {
        assertEquals(expected[i][j], actual[i][j], 1e-5, "token " + i + ", value " + j);
      }
    }
  }

  private static void assertSame(float[][] whole, int from, float[][] part) {
    for (int i = 0; i < part.length; i++) {
      assertArrayEquals(whole[from + i], part[i], "token " + (from + i));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("definitions")
  void queriesVisitWhatTheDefinitionSays(String policy, NaivePolicies.Choice choice) {
    Map<String, Object> settings = with(policy);
    try (var bench = bench(settings);
        KeyValueCache state = bench.state(TOKENS)) {
      double[][] x = bench.tokens(TOKENS, 5);
      assertClose(exact(settings, choice).run(x), bench.run(state, x, 0));
    }
  }

  @Test
  void sinksAreAsFarAwayAsInTheCache() {
    Map<String, Object> settings = with("streaming:sinks=3,window=20");
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] expected = exact(settings, NaivePolicies.near(3, 20)).asFar(3, 22).run(x);
      assertClose(expected, bench.run(bench.state(TOKENS), x, 0));
    }
  }

  /**
   * A prompt in two calls and then single tokens, of which only the prompt has an end that counts.
   */
  @Test
  void votesAreCastAtTheEndOfAPrompt() throws IOException {
    Map<String, Object> settings = with("snapkv:budget=40,window=9,pool=5");
    int prompt = 290;
    try (var bench = bench(settings);
        KeyValueCache state = bench.state(TOKENS);
        KeyValueCache other = bench.state(TOKENS)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] expected = exact(settings, NaivePolicies.snapKv(40, 9, 5, prompt)).run(x);
      bench.run(state, Arrays.copyOf(x, 285), 0);
      byte[] written = written(state);
      bench.run(state, Arrays.copyOfRange(x, 285, prompt), 285);
      bench.rest(state);
      assertEquals(40, state.length());
      float[][] after = new float[TOKENS - prompt][];
      MixerState.Mark mark = state.mark(null);
      for (int again = 0; again < 2; again++) {
        for (int i = prompt; i < TOKENS; i++) {
          after[i - prompt] = bench.run(state, new double[][] {x[i]}, i)[0];
          bench.rest(state);
        }
        assertClose(Arrays.copyOfRange(expected, prompt, TOKENS), after);
        mark.rewind();
      }
      other.read(new DataInputStream(new ByteArrayInputStream(written)));
      bench.run(other, Arrays.copyOfRange(x, 285, prompt), 285);
      bench.rest(other);
      assertSame(after, 0, bench.run(other, Arrays.copyOfRange(x, prompt, TOKENS), prompt));
      mark.close();
    }
  }

  @Test
  void whatIsGivenUpTakesNoMemory() {
    for (String policy : List.of("h2o:budget=64", "tova:budget=64")) {
      try (var bench = bench(with(policy));
          KeyValueCache state = bench.state(3000);
          var full = bench(LAYER);
          KeyValueCache all = full.state(3000)) {
        double[][] x = bench.tokens(3000, 5);
        bench.run(state, x, 0);
        full.run(all, x, 0);
        assertTrue(state.length() < 64 + 64);
        assertEquals(0, bench.bytesPerToken());
        assertTrue(10 * state.bytes() < all.bytes(), state.bytes() + " of " + all.bytes());
      }
    }
  }

  static Stream<String> policies() {
    return Stream.of(
        "streaming:sinks=3,window=20",
        "streaming:sinks=3,window=70,positions=text",
        "duo:full=0/1,sinks=2,window=33",
        "quest:page=16,budget=64,skip=0",
        "quest:page=5,budget=23,skip=0",
        "h2o:budget=40",
        "tova:budget=33",
        "xattention:block=32,stride=8,mass=0.5",
        "vertical-slash:block=64,vertical=33,slash=20");
  }

  /** Under settings that leave nothing out for {@code TOKENS} tokens. */
  static Stream<String> ample() {
    return Stream.of(
        "full",
        "streaming:sinks=4,window=330",
        "duo:full=0/0,window=331",
        "duo:full=0/*,window=1",
        "quest:budget=336",
        "quest:page=1,budget=16,skip=1",
        "h2o:budget=331",
        "tova:budget=331",
        "snapkv:budget=331",
        "xattention:block=32,mass=1",
        "vertical-slash:block=64,vertical=331");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("ample")
  void aPolicyThatLeavesNothingOutHasTheBitsOfFullAttention(String policy) {
    try (var bench = bench(with(policy));
        var full = bench(LAYER)) {
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] expected = full.run(full.state(TOKENS), x, 0);
      KeyValueCache state = bench.state(TOKENS);
      assertSame(expected, 0, bench.run(state, Arrays.copyOf(x, 300), 0));
      assertSame(expected, 300, bench.run(state, Arrays.copyOfRange(x, 300, 330), 300));
      assertSame(expected, 330, bench.run(state, new double[][] {x[330]}, 330));
      assertEquals(state.visits().seen(), state.visits().visited());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("policies")
  void cutsDoNotShow(String policy) {
    try (var bench = bench(with(policy))) {
      int grain = bench.grain();
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] whole = bench.run(bench.state(TOKENS), x, 0);
      for (int cut = grain; cut < TOKENS; cut += Math.ceilDiv(41, grain) * grain) {
        KeyValueCache state = bench.state(TOKENS);
        assertSame(whole, 0, bench.run(state, Arrays.copyOf(x, cut), 0));
        assertSame(whole, cut, bench.run(state, Arrays.copyOfRange(x, cut, TOKENS), cut));
      }
      KeyValueCache state = bench.state(TOKENS);
      for (int i = 0; grain == 1 && i < TOKENS; i++) {
        assertSame(whole, i, bench.run(state, new double[][] {x[i]}, i));
      }
      KeyValueCache later = bench.state(TOKENS);
      bench.run(later, Arrays.copyOf(x, 37), 0);
      KeyValueCache pieces = later.copy();
      float[][] rest = bench.run(later, Arrays.copyOfRange(x, 37, TOKENS), 37);
      int cut = 37 + 2 * grain;
      assertSame(rest, 0, bench.run(pieces, Arrays.copyOfRange(x, 37, cut), 37));
      assertSame(rest, 2 * grain, bench.run(pieces, Arrays.copyOfRange(x, cut, TOKENS), cut));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("policies")
  void neitherKernelsNorThreadsNorNeighboursShow(String policy) {
    Map<String, Object> settings = with(policy);
    for (CacheFormat cache : List.of(CacheFormat.F32, CacheFormat.BF16)) {
      var type = new Attention.Type();
      try (var bench =
              new MixerBench<KeyValueCache>(type, settings, WIDTH, Kernels.chosen(), cache, 3);
          var scalar =
              new MixerBench<KeyValueCache>(type, settings, WIDTH, Kernels.scalar(), cache, 1)) {
        double[][] x = bench.tokens(TOKENS, 5);
        float[][] alone = scalar.run(scalar.state(TOKENS), x, 0);
        List<float[][]> together =
            bench.run(
                List.of(bench.state(), bench.state(TOKENS), bench.state()),
                List.of(bench.tokens(130, 1), x, bench.tokens(19, 2)),
                0);
        assertSame(alone, 0, together.get(1));
      }
    }
  }

  /** Marked, copied, adopted and written states all go on with the bits of the first. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("policies")
  void aStateGoesOnWithTheSameBits(String policy) throws IOException {
    try (var bench = bench(with(policy));
        KeyValueCache state = bench.state(TOKENS);
        KeyValueCache read = bench.state(TOKENS)) {
      int at = 150;
      double[][] tail = bench.tokens(90, 6);
      bench.run(state, bench.tokens(at, 5), 0);
      byte[] written = written(state);
      MixerState.Mark mark = state.mark(null);
      KeyValueCache copy = state.copy();
      float[][] expected = bench.run(state, tail, at);
      byte[] after = written(state);
      assertSame(expected, 0, bench.run(copy, tail, at));
      for (int again = 0; again < 2; again++) {
        mark.rewind();
        assertArrayEquals(written, written(state));
        assertSame(expected, 0, bench.run(state, tail, at));
      }
      bench.run(read, tail, 0);
      MixerState.Mark before = read.mark(null);
      float[][] further = bench.run(read, tail, 90);
      read.read(new DataInputStream(new ByteArrayInputStream(written)));
      assertSame(expected, 0, bench.run(read, tail, at));
      before.rewind();
      assertSame(further, 0, bench.run(read, tail, 90));
      mark.rewind();
      read.become(state);
      assertSame(expected, 0, bench.run(read, tail, at));
      assertArrayEquals(after, written(read));
      mark.close();
      before.close();
      copy.close();
    }
  }

  private static byte[] written(MixerState state) throws IOException {
    var bytes = new ByteArrayOutputStream();
    state.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("policies")
  void fewerKeysAreVisitedThanThereAre(String policy) {
    try (var bench = bench(with(policy));
        KeyValueCache state = bench.state(TOKENS)) {
      bench.run(state, bench.tokens(TOKENS, 5), 0);
      assertEquals(4L * TOKENS * (TOKENS + 1) / 2, state.visits().seen());
      assertTrue(state.visits().visited() < state.visits().seen());
    }
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(
            with("nearest"),
            "select.kind=\"nearest\" is not supported; supported: axial, blocks, chunks, dilated,"
                + " duo, fixed, full, global, h2o, moba, neighbours, quest, segments, snapkv,"
                + " streaming, strided, tova, vertical-slash, xattention"),
        of(
            with("streaming:windows=3"),
            "select.windows is not a setting of streaming; there are: positions, sinks, window"),
        of(with("full", "window", 3), "select.kind=\"full\" has no window and no pinned tokens"),
        of(
            with("streaming:window=9", "alibi", 1, "rope", Map.of()),
            "select.positions=cache turns queries, and layer 0 tells distances by ALiBi; say"
                + " positions=text"),
        of(with("duo:full=0/2"), "select.full: 0/2; layer 0 has 2 heads of keys and values"),
        of(
            with("quest:skip=0", "alibi", 1, "rope", Map.of()),
            "select.kind=\"quest\" goes by products of queries with keys, and the scores of layer 0"
                + " also depend on distances (ALiBi, forget gates)"),
        of(with("quest:budget=9"), "select.budget=9 is less than page=16"),
        of(with("h2o:budget=9,recent=10"), "select.recent=10 is more than budget=9"),
        of(with("snapkv:budget=9"), "select.window=32 must be less than budget=9"),
        of(with("snapkv:pool=2"), "select.pool=2 must be odd: as many on either side"),
        of(with("xattention:stride=7"), "select.block=128 is not divisible by stride=7"),
        of(with("xattention:mass=0"), "select.mass=0.0 must be above 0 and at most 1"),
        of(with("vertical-slash:block=65"), "select.block=65 must be a multiple of 64"),
        of(with("duo:full=0"), "select.full=0 must be a string"),
        of(with("duo:full=0/1-2"), "select.full: \"0/1-2\" is not LAYER/HEAD or LAYER/*"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e = assertThrows(ConfigException.class, () -> bench(settings));
    assertEquals("attention: " + message, e.getMessage());
  }
}
