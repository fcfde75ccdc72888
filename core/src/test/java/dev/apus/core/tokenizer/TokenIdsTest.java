package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TokenIdsTest {

  @Test
  void itIsEqualToAHashMap() {
    Map<String, Integer> expected = new HashMap<>();
    TokenIds ids = new TokenIds(1000);
    for (int i = 0; i < 1000; i++) {
      String text = Integer.toString(i * 7919, Character.MAX_RADIX);
      assertTrue(ids.add(text, 2 * (999 - i)), text);
      expected.put(text, 2 * (999 - i));
    }
    assertEquals(expected, ids);
    expected.forEach(
        (text, id) -> {
          assertEquals(id, ids.get(text));
          assertEquals(text, ids.text(id));
          assertTrue(ids.has(id));
          assertFalse(ids.has(id + 1));
          assertNull(ids.text(id + 1));
        });
    assertNull(ids.get("no token"));
    assertFalse(ids.containsKey("no token"));
    assertEquals(Vocabulary.NONE, ids.id("no token"));
    assertNull(ids.text(2_000_000));
  }

  @Test
  void aTextIsAddedOnce() {
    TokenIds ids = new TokenIds(2);
    assertTrue(ids.add("a", 5));
    assertFalse(ids.add("a", 6));
    assertEquals(Map.of("a", 5), ids);
  }

  @Test
  void anEmptyOneHasNothing() {
    TokenIds ids = new TokenIds(0);
    assertEquals(Map.of(), ids);
    assertNull(ids.get(""));
    assertNull(ids.text(0));
  }

  /** All these texts have the same {@link String#hashCode}. */
  @Test
  void textsOfOneHashTakeNoLonger() {
    int count = 1 << 17;
    TokenIds ids = new TokenIds(count);
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          for (int i = 0; i < count; i++) {
            StringBuilder text = new StringBuilder();
            for (int bit = 0; bit < 17; bit++) {
              text.append((i >> bit & 1) == 0 ? "Aa" : "BB");
            }
            assertTrue(ids.add(text.toString(), i));
          }
        });
    assertEquals(count, ids.size());
  }

  @Test
  void aVocabularyKeepsItsHolesAndItsAddedTokens() {
    Vocabulary vocabulary =
        Vocabulary.of(
            "test",
            List.of(new TokenizerFile.Piece("b", 3, 0), new TokenizerFile.Piece("a", 1, 0)),
            List.of(AddedToken.literal(5, "<end>", true), AddedToken.literal(1, "a", false)));
    assertEquals(6, vocabulary.size());
    assertNull(vocabulary.token(0));
    assertEquals("a", vocabulary.token(1));
    assertEquals("b", vocabulary.token(3));
    assertEquals("<end>", vocabulary.token(5));
    assertFalse(vocabulary.isUsed(4));
    assertTrue(vocabulary.isUsed(5));
    assertEquals(5, vocabulary.id("<end>"));
    assertEquals(Map.of("a", 1, "b", 3), vocabulary.modelIds());
  }
}
