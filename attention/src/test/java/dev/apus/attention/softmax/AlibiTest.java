package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The slopes of linear position biases. */
class AlibiTest {

  @ParameterizedTest
  @CsvSource({
    "8, 0.5 0.25 0.125 0.0625 0.03125 0.015625 0.0078125 0.00390625",
    "6, 0.25 0.0625 0.015625 0.00390625 0.5 0.125",
    "1, 0.00390625",
    "3, 0.0625 0.00390625 0.25",
  })
  void slopesOfAlibiAreThoseOfThePaper(int heads, String expected) {
    float[] slopes = Alibi.slopes(heads, 3);
    String[] words = expected.split(" ");
    assertEquals(heads, slopes.length);
    for (int head = 0; head < heads; head++) {
      assertEquals(3 * Float.parseFloat(words[head]), slopes[head]);
    }
  }
}
