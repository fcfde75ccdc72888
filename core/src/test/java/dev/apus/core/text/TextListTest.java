package dev.apus.core.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextListTest {

  private static final List<String> SAMPLES =
      List.of("", "a", "Ġthe", "\ud83d\ude80", "\ud83d", "字", "longer than the others are");

  @ParameterizedTest(name = "{0} texts")
  @ValueSource(ints = {0, 1, 255, 256, 257, 1000})
  void itIsEqualToAListOfItsTexts(int count) {
    List<String> expected = new ArrayList<>();
    TextList texts = new TextList();
    for (int i = 0; i < count; i++) {
      String text = SAMPLES.get(i * i % SAMPLES.size()) + (i % 3 == 0 ? "" : i);
      expected.add(text);
      texts.add(text);
      assertEquals(text, texts.getLast());
    }
    assertEquals(expected, texts);
    assertEquals(expected.hashCode(), texts.hashCode());
    for (int i = 0; i < count; i++) {
      assertTrue(texts.is(i, expected.get(i)));
      assertFalse(texts.is(i, expected.get(i) + "x"));
      assertFalse(texts.is(i, "x".repeat(expected.get(i).length() + 1).substring(1) + "y"));
    }
  }

  @ParameterizedTest(name = "{0} texts")
  @ValueSource(ints = {0, 3, 256})
  void itHasNothingOutsideItsBounds(int count) {
    TextList texts = new TextList();
    for (int i = 0; i < count; i++) {
      texts.add("text");
    }
    assertThrows(IndexOutOfBoundsException.class, () -> texts.get(-1));
    assertThrows(IndexOutOfBoundsException.class, () -> texts.get(count));
    assertThrows(IndexOutOfBoundsException.class, () -> texts.is(count, "text"));
  }
}
