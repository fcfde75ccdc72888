package dev.apus.core.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TopTokensTest {

  /** Few levels make many ties; level 0 is banned. */
  @ParameterizedTest(name = "{1} of {0} at {2} levels")
  @CsvSource({
    "1, 1, 2",
    "2, 1, 3",
    "3, 5, 4",
    "17, 4, 3",
    "64, 64, 5",
    "65, 64, 1000",
    "200, 7, 2",
    "1000, 40, 10",
    "1000, 999, 1000000",
    "1000, 0, 10",
    "333, 2147483647, 20"
  })
  void agreesWithSorting(int vocabulary, int most, int levels) {
    var random = new SplittableRandom(31L * vocabulary + most);
    var top = new TopTokens();
    for (int round = 0; round < 20; round++) {
      float[] logits = new float[vocabulary + 3];
      for (int i = 0; i < logits.length; i++) {
        int level = random.nextInt(levels);
        logits[i] = level == 0 ? Float.NEGATIVE_INFINITY : level - levels / 2;
      }
      int[] expected =
          IntStream.range(0, vocabulary)
              .filter(i -> logits[i] > Float.NEGATIVE_INFINITY)
              .boxed()
              .sorted(Comparator.comparing(i -> 0 - logits[i]))
              .limit(most)
              .mapToInt(i -> i)
              .toArray();
      int count = top.select(logits, vocabulary, most);
      assertArrayEquals(expected, IntStream.range(0, count).map(top::id).toArray());
    }
  }
}
