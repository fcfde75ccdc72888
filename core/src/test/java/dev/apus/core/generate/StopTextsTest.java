package dev.apus.core.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StopTextsTest {

  /** Every text is cut in every possible way, 2ⁿ⁻¹ of them. */
  @ParameterizedTest(name = "{0} before {1}")
  @CsvSource({
    "abcabd, abd, abc",
    "aaaab, aab, aa",
    "aaaaaa, aaa, ''",
    "xabcdx, bcd|c, xab",
    "xabcdx, bc|c, xa",
    "ababababc, abababc, ab",
    "a b c d e, z, a b c d e",
    "abcab, abcabc, abcab",
    "one</s>tw, </s>|<, one",
    "é🐦x🐦🐤, 🐦🐤|y, é🐦x",
    "stop, stop, ''",
    "nothing, g, nothin"
  })
  void theTextBeforeAStopDoesNotDependOnTheCuts(String text, String stops, String expected) {
    List<String> texts = List.of(stops.split("\\|"));
    for (int cuts = 0; cuts < 1 << (text.length() - 1); cuts++) {
      var stopTexts = new StopTexts(texts);
      var emitted = new StringBuilder();
      int from = 0;
      for (int to = 1; to <= text.length(); to++) {
        if (to == text.length() || (cuts & 1 << (to - 1)) != 0) {
          emitted.append(stopTexts.append(text.substring(from, to)));
          from = to;
        }
      }
      emitted.append(stopTexts.flush());
      assertEquals(expected, emitted.toString(), "cuts " + Integer.toBinaryString(cuts));
    }
  }

  @Test
  void agreesWithTheDefinitionOnRandomTexts() {
    var random = new SplittableRandom(24);
    for (int round = 0; round < 3_000; round++) {
      List<String> stops = List.of(word(random, 1, 4), word(random, 1, 6), word(random, 2, 3));
      String text = word(random, 0, 24);
      var stopTexts = new StopTexts(stops);
      var emitted = new StringBuilder();
      for (int i = 0; i < text.length() && !stopTexts.found(); i++) {
        emitted.append(stopTexts.append(text.substring(i, i + 1)));
        String seen = text.substring(0, i + 1);
        String certain = certain(seen, stops);
        assertEquals(certain, emitted.toString(), seen + " before " + stops);
      }
    }
  }

  /** The definition: the text less its longest end that is, or begins, a stop text. */
  private static String certain(String seen, List<String> stops) {
    for (int at = 0; at < seen.length(); at++) {
      String end = seen.substring(at);
      if (stops.contains(end)) {
        return seen.substring(0, at);
      }
    }
    for (int at = 0; at < seen.length(); at++) {
      String end = seen.substring(at);
      if (stops.stream().anyMatch(stop -> stop.startsWith(end))) {
        return seen.substring(0, at);
      }
    }
    return seen;
  }

  private static String word(SplittableRandom random, int least, int most) {
    var word = new StringBuilder();
    int length = random.nextInt(least, most + 1);
    while (word.length() < length) {
      word.append((char) ('a' + random.nextInt(2)));
    }
    return word.toString();
  }
}
