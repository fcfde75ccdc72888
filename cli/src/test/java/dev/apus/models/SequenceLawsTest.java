package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.model.Architecture;
import dev.apus.core.model.SequenceState;
import dev.apus.kernels.Kernels;
import dev.apus.models.TinyModels.Tiny;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The laws that a sequence keeps in every family: they are what makes a session's state its user's.
 */
class SequenceLawsTest {

  /** All that continue texts. */
  static final List<String> families =
      Stream.concat(TinyModels.MODELS.stream(), TinyModels.WHOLE.stream()).toList();

  /** Those to which it does not show where the first run of a text ends. */
  static final List<String> divisible = TinyModels.MODELS;

  /** Odd, longer than every window of the small models, and not a multiple of any tile. */
  private static final int LENGTH = 61;

  /** Whose states grow by one memory whenever their length doubles. */
  private static final Set<String> LOGARITHMIC = Set.of("fla-log_linear_mamba2");

  private static final int[] TOKENS = TinyModels.tokens(LENGTH, 11);

  @ParameterizedTest
  @FieldSource("divisible")
  void aSequenceMayBeCutAnywhere(String family) {
    try (Tiny tiny = TinyModels.of(family)) {
      float[][] whole = tiny.run(tiny.state(), TOKENS, 0, LENGTH);
      for (int cut : new int[] {1, 3, 4, 15, 16, 17, 32, 60}) {
        SequenceState state = tiny.state();
        float[][] head = tiny.run(state, TOKENS, 0, cut);
        float[][] tail = tiny.run(state, TOKENS, cut, LENGTH);
        assertClose(tiny, whole, 0, head);
        assertClose(tiny, whole, cut, tail);
      }
    }
  }

  @ParameterizedTest
  @FieldSource("divisible")
  void cutsAtTheGrainDoNotShow(String family) {
    try (Tiny tiny = TinyModels.of(family)) {
      int grain = tiny.network().grain();
      float[][] whole = tiny.run(tiny.state(), TOKENS, 0, LENGTH);
      for (int step : new int[] {grain, 2 * grain, 5 * grain}) {
        SequenceState state = tiny.state();
        for (int from = 0; from < LENGTH; from += step) {
          int to = Math.min(LENGTH, from + step);
          assertSameBits(Arrays.copyOfRange(whole, from, to), tiny.run(state, TOKENS, from, to));
        }
      }
    }
  }

  @ParameterizedTest
  @FieldSource("divisible")
  void tokenByTokenIsTheSameText(String family) {
    try (Tiny tiny = TinyModels.of(family)) {
      float[][] whole = tiny.run(tiny.state(), TOKENS, 0, LENGTH);
      SequenceState state = tiny.state();
      for (int i = 0; i < LENGTH; i++) {
        float[][] one = tiny.run(state, TOKENS, i, i + 1);
        assertClose(tiny, whole, i, one);
        assertEquals(best(whole[i]), best(one[0]), "the greedy token after token " + i);
      }
    }
  }

  /** What comes after the first run may be cut anywhere in all families. */
  @ParameterizedTest
  @MethodSource("indivisible")
  void whatFollowsTheFirstRunMayBeCutAnywhere(String family) {
    try (Tiny tiny = TinyModels.of(family)) {
      for (int first : new int[] {1, 7, 8, 9, 16, 30}) {
        SequenceState once = tiny.state();
        float[][] beginning = tiny.run(once, TOKENS, 0, first);
        float[][] rest = tiny.run(once, TOKENS, first, LENGTH);
        for (int step : new int[] {1, 2, 13}) {
          SequenceState state = tiny.state();
          assertSameBits(beginning, tiny.run(state, TOKENS, 0, first));
          for (int from = first; from < LENGTH; from += step) {
            int to = Math.min(LENGTH, from + step);
            float[][] expected = Arrays.copyOfRange(rest, from - first, to - first);
            assertSameBits(expected, tiny.run(state, TOKENS, from, to));
          }
        }
      }
    }
  }

  static Stream<String> indivisible() {
    return TinyModels.WHOLE.stream();
  }

  @ParameterizedTest
  @FieldSource("families")
  void neighboursInABatchLeaveNoTrace(String family) {
    int[][] texts = {
      Arrays.copyOfRange(TOKENS, 0, 7), TinyModels.tokens(23, 5), {42}, TinyModels.tokens(18, 6)
    };
    try (Tiny tiny = TinyModels.of(family)) {
      List<SequenceState> states = List.of(tiny.state(), tiny.state(), tiny.state(), tiny.state());
      List<float[][]> together = tiny.run(states, List.of(texts));
      List<float[][]> next =
          tiny.run(states, List.of(new int[] {1}, new int[] {2, 3}, new int[] {4}, new int[] {5}));
      for (int i = 0; i < texts.length; i++) {
        SequenceState alone = tiny.state();
        assertSameBits(tiny.run(alone, texts[i], 0, texts[i].length), together.get(i));
        int[] more = i == 1 ? new int[] {2, 3} : new int[] {i == 0 ? 1 : i + 2};
        assertSameBits(tiny.run(alone, more, 0, more.length), next.get(i));
      }
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void aForkGoesItsOwnWay(String family) {
    try (Tiny tiny = TinyModels.of(family)) {
      SequenceState parent = tiny.state();
      tiny.run(parent, TOKENS, 0, 20);
      try (SequenceState child = parent.copy()) {
        float[][] childsWay = tiny.run(child, TinyModels.tokens(9, 3), 0, 9);
        float[][] parentsWay = tiny.run(parent, TOKENS, 20, 30);
        SequenceState other = tiny.state();
        tiny.run(other, TOKENS, 0, 20);
        assertSameBits(tiny.run(other, TOKENS, 20, 30), parentsWay);
        assertFalse(Arrays.equals(childsWay[8], parentsWay[8]), "the child must have its own text");
      }
      SequenceState elsewhere = tiny.state();
      tiny.run(elsewhere, TOKENS, 7, 19);
      elsewhere.become(parent);
      assertEquals(30, elsewhere.length());
      assertSameBits(tiny.run(parent, TOKENS, 30, LENGTH), tiny.run(elsewhere, TOKENS, 30, LENGTH));
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void rewindingReturnsTheBits(String family) {
    try (Tiny tiny = TinyModels.of(family)) {
      SequenceState state = tiny.state();
      tiny.run(state, TOKENS, 0, 20);
      SequenceState.Mark mark = state.mark(null);
      float[][] first = tiny.run(state, TOKENS, 20, LENGTH);
      for (int again = 0; again < 2; again++) {
        mark.rewind();
        assertEquals(20, state.length());
        tiny.run(state, TinyModels.tokens(30, again), 0, 30);
        mark.rewind();
        assertSameBits(first, tiny.run(state, TOKENS, 20, LENGTH));
      }
    }
  }

  /** A later mark outlives going back before it and on another way, and so does one of that way. */
  @ParameterizedTest
  @FieldSource("families")
  void marksAreIndependentOfEachOther(String family) {
    int[] other = TinyModels.tokens(60, 9);
    try (Tiny tiny = TinyModels.of(family)) {
      SequenceState state = tiny.state();
      tiny.run(state, TOKENS, 0, 5);
      SequenceState.Mark early = state.mark(null);
      tiny.run(state, TOKENS, 5, 50);
      SequenceState.Mark late = state.mark(null);
      float[][] firstWay = tiny.run(state, TOKENS, 50, LENGTH);
      early.rewind();
      tiny.run(state, other, 5, 58);
      SequenceState.Mark elsewhere = state.mark(null);
      float[][] secondWay = tiny.run(state, other, 58, 60);
      for (int again = 0; again < 2; again++) {
        late.rewind();
        assertSameBits(firstWay, tiny.run(state, TOKENS, 50, LENGTH));
        elsewhere.rewind();
        assertSameBits(secondWay, tiny.run(state, other, 58, 60));
        early.rewind();
        tiny.run(state, TinyModels.tokens(80, again), 0, 80);
      }
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void aWrittenStateGoesOnWithTheSameBits(String family) throws IOException {
    try (Tiny tiny = TinyModels.of(family)) {
      SequenceState state = tiny.state();
      tiny.run(state, TOKENS, 0, 37);
      var bytes = new ByteArrayOutputStream();
      state.write(new DataOutputStream(bytes));
      SequenceState read = tiny.state();
      tiny.run(read, TOKENS, 5, 9);
      read.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
      assertEquals(state.length(), read.length());
      assertSameBits(tiny.run(state, TOKENS, 37, LENGTH), tiny.run(read, TOKENS, 37, LENGTH));
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void threadsAndKernelsDoNotShow(String family) {
    Architecture architecture = TinyModels.architecture(family);
    float[][] expected;
    try (Tiny tiny = TinyModels.of(architecture, Kernels.scalar(), 1)) {
      expected = tiny.run(tiny.state(), TOKENS, 0, LENGTH);
    }
    for (int threads : new int[] {1, 2, 7}) {
      try (Tiny tiny = TinyModels.of(architecture, Kernels.chosen(), threads)) {
        assertSameBits(expected, tiny.run(tiny.state(), TOKENS, 0, LENGTH));
      }
    }
  }

  @ParameterizedTest
  @FieldSource("divisible")
  void tokensBeforeAreNotChangedByTokensAfter(String family) {
    int[] other = TOKENS.clone();
    other[40] = (other[40] + 1) % 192;
    try (Tiny tiny = TinyModels.of(family)) {
      float[][] one = tiny.run(tiny.state(), TOKENS, 0, LENGTH);
      float[][] two = tiny.run(tiny.state(), other, 0, LENGTH);
      assertSameBits(Arrays.copyOf(one, 40), Arrays.copyOf(two, 40));
      assertFalse(Arrays.equals(one[40], two[40]), "a changed token must change its own logits");
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void aCancelledPassCanBeTakenBack(String family) {
    try (Tiny tiny = TinyModels.of(family)) {
      SequenceState state = tiny.state();
      tiny.run(state, TOKENS, 0, 20);
      SequenceState.Mark mark = state.mark(null);
      var layers = new AtomicInteger();
      assertThrows(
          CancellationException.class,
          () ->
              tiny.run(
                  List.of(state),
                  List.of(Arrays.copyOfRange(TOKENS, 20, LENGTH)),
                  () -> layers.incrementAndGet() == 2));
      mark.rewind();
      float[][] after = tiny.run(state, TOKENS, 20, LENGTH);
      SequenceState undisturbed = tiny.state();
      tiny.run(undisturbed, TOKENS, 0, 20);
      assertSameBits(tiny.run(undisturbed, TOKENS, 20, LENGTH), after);
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void aStateTakesTheMemoryItSays(String family) {
    try (Tiny tiny = TinyModels.of(family)) {
      SequenceState state = tiny.state();
      tiny.run(state, TOKENS, 0, 10);
      long few = state.bytes();
      tiny.run(state, TinyModels.tokens(120, 1), 0, 120);
      long many = state.bytes();
      long perToken = tiny.network().stateBytesPerToken();
      boolean constant = perToken == 0 && tiny.network().windowBytes() == 0;
      if (LOGARITHMIC.contains(family)) {
        // 10 tokens are a number of four bits, 130 of eight.
        assertTrue(many > few && many < 2 * few, few + " bytes became " + many);
      } else {
        assertTrue(constant ? many == few : many > few, few + " bytes became " + many);
      }
      assertTrue(many >= 130 * perToken, many + " bytes hold 130 tokens of " + perToken);
    }
  }

  /**
   * Whose layers have a grain adds up in another order elsewhere; all else is the same to the bit.
   */
  private static void assertClose(Tiny tiny, float[][] whole, int from, float[][] part) {
    for (int i = 0; i < part.length; i++) {
      if (tiny.network().grain() > 1) {
        assertArrayEquals(whole[from + i], part[i], 2e-4f, "logits of token " + (from + i));
      } else {
        assertArrayEquals(whole[from + i], part[i], "logits of token " + (from + i));
      }
    }
  }

  private static void assertSameBits(float[][] expected, float[][] actual) {
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], actual[i], "logits of token " + i);
    }
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}
