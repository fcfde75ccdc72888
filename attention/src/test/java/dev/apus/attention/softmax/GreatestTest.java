package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

class GreatestTest {

  /** Of few different values, so that many are equal: those that come first are taken. */
  @RepeatedTest(100)
  void areThoseThatSortingPutsFirst(RepetitionInfo repetition) {
    var random = new SplittableRandom(repetition.getCurrentRepetition());
    int count = random.nextInt(30);
    int most = random.nextInt(12);
    int at = random.nextInt(3);
    float[] values = new float[at + count + 2];
    Arrays.fill(values, Float.POSITIVE_INFINITY);
    for (int i = at; i < at + count; i++) {
      values[i] = random.nextInt(5) - (random.nextInt(4) == 0 ? Float.POSITIVE_INFINITY : 0);
    }
    int[] indices = new int[most + 4];
    Arrays.fill(indices, -7);
    int found = Greatest.indices(values, at, count, most, indices, 2);
    assertEquals(Math.min(count, most), found);
    int[] expected =
        IntStream.range(0, count)
            .boxed()
            .sorted(Comparator.comparing(i -> -values[at + i]))
            .limit(most)
            .mapToInt(i -> i)
            .sorted()
            .toArray();
    assertArrayEquals(expected, Arrays.copyOfRange(indices, 2, 2 + found));
    indices = IntStream.of(indices).filter(i -> i == -7).toArray();
    assertEquals(most + 4 - found, indices.length, "wrote past its indices");
  }
}
