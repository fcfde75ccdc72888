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

/** Rows of a run that see each other, and before it what the first of them sees. */
class TogetherTest {

  private static final int TEXT = 290;
  private static final int CANVAS = 37;

  private static float[][] canvas(int window, double[][] x) {
    Map<String, Object> settings =
        Map.of("heads", 4, "kvHeads", 2, "headDim", 6, "rope", Map.of(), "window", window);
    try (MixerBench<KeyValueCache> bench = new MixerBench<>(new Attention.Type(), settings, 11);
        KeyValueCache state = bench.state(TEXT + CANVAS)) {
      bench.run(state, Arrays.copyOf(x, TEXT), 0);
      bench.seeing(Visibility.TOGETHER);
      double[][] rows = Arrays.copyOfRange(x, TEXT, TEXT + CANVAS);
      MixerState.Mark mark = state.mark(null);
      float[][] first = bench.run(state, rows, TEXT);
      mark.rewind();
      assertEquals(TEXT, state.length());
      float[][] again = bench.run(state, rows, TEXT);
      mark.rewind();
      mark.close();
      for (int row = 0; row < CANVAS; row++) {
        assertArrayEquals(first[row], again[row], "row " + row + " of a canvas that is not kept");
      }
      return first;
    }
  }

  private static double[][] changed(double[][] x, int token) {
    double[][] other = x.clone();
    other[token] = Arrays.stream(x[token]).map(value -> value - 0.75).toArray();
    return other;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 16, 100})
  void allSeeWhatTheFirstSees(int window) {
    double[][] x;
    try (var bench = new MixerBench<>(new Attention.Type(), Map.of("heads", 1, "headDim", 4), 11)) {
      x = bench.tokens(TEXT + CANVAS, 5);
    }
    float[][] found = canvas(window, x);
    int first = window == 0 ? 0 : TEXT - window + 1;
    float[][] seen = canvas(window, changed(x, first));
    float[][] last = canvas(window, changed(x, TEXT + CANVAS - 1));
    for (int row = 0; row < CANVAS; row++) {
      assertFalse(Arrays.equals(found[row], seen[row]), "row " + row + " sees " + first);
      assertFalse(Arrays.equals(found[row], last[row]), "row " + row + " sees the last");
    }
    if (first > 0) {
      float[][] unseen = canvas(window, changed(x, first - 1));
      for (int row = 0; row < CANVAS; row++) {
        assertArrayEquals(found[row], unseen[row], "row " + row + " does not see " + (first - 1));
      }
    }
  }
}
