package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.ConfigException;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Latent attention to tokens that an indexer chooses: its laws, and texts of several spans. */
class ChosenTokensTest {

  private static final int WIDTH = 11;
  private static final int LONG = 611;

  private static Map<String, Object> dense() {
    return new LinkedHashMap<>(
        Map.of(
            "heads",
            3,
            "latent",
            9,
            "ownDim",
            5,
            "sharedDim",
            4,
            "valueDim",
            7,
            "queryLatent",
            6,
            "rope",
            Map.of("layout", "interleaved")));
  }

  private static Map<String, Object> choosing(int top) {
    Map<String, Object> settings = dense();
    settings.put("index", LatentAttentionTest.index(6, 10, top, "halves"));
    return settings;
  }

  private static MixerBench<KeyValueCache> bench(Map<String, Object> settings) {
    return new MixerBench<>(new LatentAttention.Type(), settings, WIDTH);
  }

  private static float[][] run(MixerBench<KeyValueCache> bench, double[][] x, int... ends) {
    float[][] y = new float[x.length][];
    try (KeyValueCache state = bench.state(LONG)) {
      int from = 0;
      for (int end : ends) {
        float[][] part = bench.run(state, Arrays.copyOfRange(x, from, end), from);
        System.arraycopy(part, 0, y, from, part.length);
        from = end;
      }
    }
    return y;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 64})
  void theLawsOfStatesHold(int top) throws IOException {
    new MixerLaws(new LatentAttention.Type(), choosing(top), WIDTH).holdWhileTheStateGrows();
  }

  /** Whoever sees no more than are chosen attends to all, as if nothing were chosen. */
  @Test
  void aShortTextHasTheBitsOfDenseAttention() {
    for (CacheFormat cache : List.of(CacheFormat.F32, CacheFormat.BF16)) {
      try (var all = bench(dense(), cache);
          var some = bench(choosing(300), cache)) {
        double[][] x = all.tokens(LONG, 4);
        float[][] expected = run(all, x, LONG);
        float[][] actual = run(some, x, LONG);
        for (int i = 0; i < LONG; i++) {
          assertEquals(i < 300, Arrays.equals(expected[i], actual[i]), cache + ", token " + i);
        }
      }
    }
  }

  private static MixerBench<KeyValueCache> bench(Map<String, Object> settings, CacheFormat cache) {
    return new MixerBench<>(
        new LatentAttention.Type(), settings, WIDTH, Kernels.chosen(), cache, 2);
  }

  @Test
  void textsOfSeveralSpansAreWhatTheDefinitionSays() {
    try (var bench = bench(choosing(290))) {
      double[][] x = bench.tokens(LONG, 5);
      double[][] expected = LatentAttentionTest.exact(choosing(290), x);
      float[][] actual = run(bench, x, LONG);
      for (int i = 0; i < LONG; i++) {
        for (int j = 0; j < WIDTH; j++) {
          assertEquals(expected[i][j], actual[i][j], 1e-5, "token " + i + ", value " + j);
        }
      }
    }
  }

  @Test
  void neitherCutsNorThreadsNorKernelsShowInThem() {
    for (CacheFormat cache : List.of(CacheFormat.F32, CacheFormat.BF16)) {
      try (var bench = bench(choosing(290), cache);
          var scalar =
              new MixerBench<KeyValueCache>(
                  new LatentAttention.Type(), choosing(290), WIDTH, Kernels.scalar(), cache, 1)) {
        double[][] x = bench.tokens(LONG, 6);
        float[][] whole = run(bench, x, LONG);
        assertArrayEquals(whole, run(bench, x, 1, 289, 290, 291, 292, 512, 513, 600, 601, LONG));
        assertArrayEquals(whole, run(scalar, x, 300, LONG));
      }
    }
  }

  @Test
  void visitsAreCounted() {
    try (var bench = bench(choosing(290));
        KeyValueCache state = bench.state(LONG)) {
      int heads = (int) choosing(290).get("heads");
      double[][] x = bench.tokens(LONG, 5);
      bench.run(state, Arrays.copyOf(x, LONG - 1), 0);
      bench.run(state, new double[][] {x[LONG - 1]}, LONG - 1);
      long chosen = 290 * 291 / 2 + 290L * (LONG - 290);
      assertEquals(heads * chosen, state.visits().visited());
      assertEquals(heads * (LONG * (LONG + 1L) / 2), state.visits().seen());
    }
  }

  @Test
  void rowsThatSettleCannotBeGathered() {
    var e = assertThrows(ConfigException.class, () -> bench(choosing(20), CacheFormat.Q8));
    assertEquals(
        "layer 0: latent attention that chooses tokens cannot read keys and values that are kept as"
            + " Q8; keep them as f32 or bf16",
        e.getMessage());
  }

  /** Sequences that choose and sequences that need not, in one call. */
  @Test
  void neighboursDoNotShow() {
    try (var bench = bench(choosing(20))) {
      double[][] x = bench.tokens(70, 7);
      double[][] head = Arrays.copyOf(x, 15);
      KeyValueCache state = bench.state();
      bench.run(state, head, 0);
      List<float[][]> together =
          bench.run(
              List.of(state.copy(), state, state.copy(), state.copy()),
              List.of(
                  bench.tokens(1, 1),
                  Arrays.copyOfRange(x, 15, 70),
                  bench.tokens(3, 2),
                  bench.tokens(40, 3)),
              15);
      assertArrayEquals(Arrays.copyOfRange(run(bench, x, 70), 15, 70), together.get(1));
    }
  }

  /** A latent is kept once, and the index's key beside it. */
  @Test
  void aTokenLeavesARowAndAKeyBehind() {
    try (var all = bench(dense());
        var some = bench(choosing(5))) {
      assertEquals(4 * (13 + 32), all.bytesPerToken(), "values are filled up to 32");
      assertEquals(4 * (10 + 32), some.bytesPerToken());
    }
  }

  @Test
  void whatIsNotANumberIsNotHidden() {
    try (var bench = bench(choosing(3))) {
      double[][] x = bench.tokens(40, 8);
      x[20][3] = Double.NaN;
      float[][] y = run(bench, x, 40);
      for (int i = 0; i < 40; i++) {
        boolean number = !Float.isNaN(y[i][0]);
        assertTrue(number == i < 20, "token " + i);
      }
      assertFalse(Float.isNaN(y[19][0]));
    }
  }
}
