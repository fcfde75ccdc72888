package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.apus.core.model.MixerState;
import dev.apus.core.model.Visibility;
import dev.apus.testing.MixerBench;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that take the place of others in a cache, over the border of a page. */
class ReplacedRowsTest {

  private static final int TOKENS = 300;
  private static final int FROM = 247;
  private static final int TO = 263;

  private static MixerBench<KeyValueCache> bench(int window) {
    Map<String, Object> settings =
        Map.of("heads", 4, "kvHeads", 2, "headDim", 6, "rope", Map.of(), "window", window);
    MixerBench<KeyValueCache> bench = new MixerBench<>(new Attention.Type(), settings, 11);
    return bench.seeing(Visibility.SURROUNDED);
  }

  private static double[][] changed(double[][] x) {
    double[][] other = x.clone();
    for (int i = FROM; i < TO; i++) {
      other[i] = Arrays.stream(x[i]).map(value -> value - 0.75).toArray();
    }
    return other;
  }

  private static void assertRows(float[][] whole, float[][] part) {
    for (int i = 0; i < part.length; i++) {
      assertArrayEquals(whole[FROM + i], part[i], "row " + (FROM + i));
    }
  }

  /** The keys and values of one layer do not depend on what their tokens saw. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 16, 100})
  void theySeeAndAreSeenLikeThoseOfANewCache(int window) {
    try (var bench = bench(window);
        KeyValueCache state = bench.state(TOKENS);
        KeyValueCache fresh = bench.state(TOKENS)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] other = changed(x);
      float[][] before = bench.run(state, x, 0);
      float[][] after = bench.run(fresh, other, 0);
      assertRows(before, bench.run(state, Arrays.copyOfRange(x, FROM, TO), FROM));
      assertRows(after, bench.run(state, Arrays.copyOfRange(other, FROM, TO), FROM));
      assertEquals(TOKENS, state.length());
      float[][] again = bench.run(state, other, 0);
      for (int i = 0; i < TOKENS; i++) {
        assertArrayEquals(after[i], again[i], "row " + i);
      }
      assertFalse(Arrays.equals(before[FROM], after[FROM]));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 16})
  void marksAndCopiesKeepWhatWasThere(int window) {
    try (var bench = bench(window);
        KeyValueCache state = bench.state(TOKENS)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] some = Arrays.copyOfRange(x, FROM, TO);
      double[][] others = Arrays.copyOfRange(changed(x), FROM, TO);
      float[][] before = bench.run(state, x, 0);
      MixerState.Mark mark = state.mark(null);
      try (KeyValueCache copy = state.copy()) {
        float[][] after = bench.run(state, others, FROM);
        assertRows(before, bench.run(copy, some, FROM));
        for (int i = 0; i < after.length; i++) {
          assertFalse(Arrays.equals(before[FROM + i], after[i]), "row " + (FROM + i));
        }
        bench.run(copy, others, FROM);
        mark.rewind();
        // Two rows are computed again; they see the others as these were.
        double[][] two = Arrays.copyOfRange(x, FROM, FROM + 2);
        assertRows(before, bench.run(state, two, FROM));
      }
      mark.close();
    }
  }
}
