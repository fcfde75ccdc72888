package dev.apus.moe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The greatest of all sums are found among the greatest values. */
class BestSumsTest {

  @ParameterizedTest
  @CsvSource({"1, 1", "5, 1", "5, 7", "5, 25", "16, 40", "40, 3"})
  void areThoseOfAllSumsInOrder(int n, int count) {
    var random = new SplittableRandom(31L * n + count);
    float[] lists = new float[2 * n + 3];
    for (int i = 0; i < lists.length; i++) {
      // Few values, so that there are ties.
      lists[i] = random.nextInt(6) * 0.25f;
    }
    float[] sums = new float[count + 2];
    int[] best = BestSums.of(lists, 3, n, count, sums, 1);
    int[] expected =
        IntStream.range(0, n * n)
            .boxed()
            .sorted((a, b) -> Float.compare(sum(lists, n, b), sum(lists, n, a)))
            .limit(count)
            .mapToInt(i -> i)
            .toArray();
    for (int i = 0; i < count; i++) {
      assertEquals(sum(lists, n, expected[i]), sums[1 + i]);
      assertEquals(sums[1 + i], sum(lists, n, best[i]));
    }
    assertEquals(count, IntStream.of(best).distinct().count());
    assertEquals(0, sums[0]);
    assertEquals(0, sums[count + 1]);
  }

  @Test
  void ofEqualSumsTheLowerComesFirst() {
    float[] lists = {0, 1, 1, 0};
    assertArrayEquals(new int[] {2, 0, 3, 1}, BestSums.of(lists, 0, 2, 4, new float[4], 0));
  }

  private static float sum(float[] lists, int n, int expert) {
    return lists[3 + expert / n] + lists[3 + n + expert % n];
  }
}
