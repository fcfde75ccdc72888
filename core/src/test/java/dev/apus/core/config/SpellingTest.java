package dev.apus.core.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;

class SpellingTest {

  private static final Spelling SPELLING =
      Spelling.of(Map.of("head", "a.$1", "head_dim", "a.b\\c", "rope.factor", "a.rope"));

  @Test
  void keysAreReplacedAsWholeWords() {
    assertEquals("a.$1=2", SPELLING.apply("head=2"));
    assertEquals("a.b\\c, then a.$1.", SPELLING.apply("head_dim, then head."));
    assertEquals("ahead heads x.head head.x", SPELLING.apply("ahead heads x.head head.x"));
    assertEquals("a.rope is missing", SPELLING.apply("rope.factor is missing"));
  }

  @Test
  void withoutWordsMessagesAreAsTheyAre() {
    assertSame(Spelling.AS_IS, Spelling.of(Map.of()));
    assertEquals("head=2", Spelling.AS_IS.apply("head=2"));
  }

  @Test
  void settingsInSectionsAreSpelledByTheirPath() {
    Config config =
        Config.of(
            "file",
            Map.of("rope", Map.of("factor", "two"), "head", 0),
            Map.of("rope.factor", "stretch", "head", "heads"));
    ConfigException inSection =
        assertThrows(ConfigException.class, () -> config.section("rope").number("factor"));
    assertEquals("file: stretch=\"two\" must be a finite number", inSection.getMessage());
    ConfigException missing =
        assertThrows(ConfigException.class, () -> config.section("rope").flag("other"));
    assertEquals("file: rope.other is missing; it must be true or false", missing.getMessage());
    ConfigException outside = assertThrows(ConfigException.class, () -> config.positive("head"));
    assertEquals("file: heads=0 must be a whole number from 1 to 2147483647", outside.getMessage());
  }
}
