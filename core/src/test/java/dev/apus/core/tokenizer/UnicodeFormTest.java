package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.text.Normalizer;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class UnicodeFormTest {

  /** Runs of marks long enough to be sorted here, short enough for the JDK to sort. */
  @ParameterizedTest
  @EnumSource(Normalizer.Form.class)
  void equalsTheDefinition(Normalizer.Form form) {
    int[] marks =
        IntStream.rangeClosed(0, Character.MAX_CODE_POINT)
            .filter(c -> Character.toString(c).matches("\\p{M}"))
            .toArray();
    var random = new SplittableRandom(3);
    for (int round = 0; round < 100; round++) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < 600; i++) {
        int kind = random.nextInt(300);
        if (kind == 0) {
          text.append((char) random.nextInt(0xD000));
        } else if (kind < 6) {
          text.append((char) (0xFF9E + random.nextInt(2)));
        } else {
          text.appendCodePoint(marks[random.nextInt(round % 2 == 0 ? marks.length : 120)]);
        }
      }
      assertEquals(Normalizer.normalize(text, form), new UnicodeForm(form).apply(text.toString()));
    }
  }

  /** Sorting by insertion would take minutes. */
  @ParameterizedTest
  @EnumSource(Normalizer.Form.class)
  void sortsAMegabyteOfMarks(Normalizer.Form form) {
    int half = 1 << 19;
    String expected = "x" + "\u0316".repeat(half) + "\u0302".repeat(half);
    assertEquals(expected, new UnicodeForm(form).apply("x" + "\u0302\u0316".repeat(half)));
  }
}
