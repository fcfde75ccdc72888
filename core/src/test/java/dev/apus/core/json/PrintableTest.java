package dev.apus.core.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrintableTest {

  @Test
  void visibleTextStaysAsItIs() {
    assertEquals("model.layers.0/ß字😀 \\", Printable.name("model.layers.0/ß字😀 \\"));
  }

  @Test
  void everyCharacterTurnsIntoOneVisibleLine() {
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      String shown = Printable.name(Character.toString(c));
      assertTrue(
          shown
              .codePoints()
              .noneMatch(
                  x -> Character.isISOControl(x) || Character.getType(x) == Character.FORMAT),
          shown);
    }
    assertEquals("\\u{202e}\\u{0}\\u{d800}\\u{2028}", Printable.name("\u202e\u0000\ud800\u2028"));
  }

  @Test
  void longNamesAreCutBetweenCharacters() {
    assertEquals("😀".repeat(120), Printable.name("😀".repeat(120)));
    assertEquals("😀".repeat(120) + "… (242 characters)", Printable.name("😀".repeat(121)));
  }

  @Test
  void valuesLookLikeJson() {
    assertEquals("null", Printable.value(null));
    assertEquals("\"a\"", Printable.value("a"));
    assertEquals("[]", Printable.value(List.of()));
    assertEquals("[1]", Printable.value(List.of(1)));
    assertEquals("[null, …]", Printable.value(Arrays.asList(null, 2)));
    assertEquals("{…}", Printable.value(Map.of()));
    assertEquals("1.5", Printable.value(1.5));
    assertEquals("false", Printable.value(false));
    assertEquals("an array", Printable.value(new int[1]));
  }

  @ParameterizedTest
  @CsvSource({"/models/a.gguf, a.gguf", "/models/b/.., models", "/, /"})
  void filesAreCalledByTheirLastName(Path file, String name) {
    assertEquals(name, Printable.fileName(file));
  }
}
