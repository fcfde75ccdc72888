package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The greatest scores, against a stable sort. */
class TopSlotsTest {

  private static final int AT = 3;

  private static int[] sorted(float[] scores, int count, int top) {
    Integer[] slots = IntStream.range(0, count).boxed().toArray(Integer[]::new);
    // Float.compare has NaN above all numbers, and −0 below 0, which are equal here.
    Arrays.sort(slots, (a, b) -> Float.compare(scores[AT + b] + 0f, scores[AT + a] + 0f));
    return Arrays.stream(slots).limit(top).mapToInt(i -> i).sorted().toArray();
  }

  private static void check(float[] scores, int top) {
    int count = scores.length - 2 * AT;
    assertArrayEquals(sorted(scores, count, top), TopSlots.of(scores, AT, count, top));
  }

  private static float[] scores(int count) {
    float[] scores = new float[count + 2 * AT];
    Arrays.fill(scores, Float.POSITIVE_INFINITY);
    return scores;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 64, 1000})
  void theyAreTheGreatest(int count) {
    var random = new SplittableRandom(count);
    for (double spread : new double[] {1e-30, 1, 1e30}) {
      float[] scores = scores(count);
      for (int i = 0; i < count; i++) {
        scores[AT + i] = (float) (random.nextGaussian() * spread);
      }
      for (int top : new int[] {1, (count + 1) / 2, count}) {
        check(scores, top);
      }
    }
  }

  @Test
  void ofEqualScoresTheFirstAreTaken() {
    var random = new SplittableRandom(3);
    float[] values = {0f, -0f, 1, -1, Float.MIN_VALUE, Float.NEGATIVE_INFINITY};
    float[] scores = scores(60);
    for (int i = 0; i < 60; i++) {
      scores[AT + i] = values[random.nextInt(values.length)];
    }
    for (int top = 1; top <= 60; top++) {
      check(scores, top);
    }
  }

  @Test
  void whatIsNotANumberIsTaken() {
    float[] scores = scores(5);
    for (int i = 0; i < 5; i++) {
      scores[AT + i] = i;
    }
    scores[AT + 2] = Float.NaN;
    scores[AT + 1] = Float.intBitsToFloat(0xffc00001);
    assertArrayEquals(new int[] {1, 2}, TopSlots.of(scores, AT, 5, 2));
    assertArrayEquals(new int[] {1, 2, 4}, TopSlots.of(scores, AT, 5, 3));
  }

  @Test
  void theLargestAreThoseThatComeFirstWhenSorted() {
    var random = new SplittableRandom(3);
    for (int count : new int[] {1, 2, 13, 64, 1000}) {
      float[] values = new float[count + 3];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextInt(-9, 9) / 3f;
      }
      for (int most : new int[] {0, 1, count / 2, count - 1, count, count + 5}) {
        int[] expected =
            IntStream.range(0, count)
                .boxed()
                .sorted((a, b) -> Float.compare(values[3 + b], values[3 + a]))
                .limit(most)
                .mapToInt(i -> i)
                .sorted()
                .toArray();
        assertArrayEquals(expected, TopSlots.of(values, 3, count, most));
      }
    }
  }
}
