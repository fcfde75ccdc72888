package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** The laws of byte-level tokenizers, held by the one that Fable was trained with. */
class FableTokenizerTest {

  private final Tokenizer tokenizer = Recorded.fable();

  @Test
  void encodesAsTheReferenceDoes() throws IOException {
    assertAll(
        StreamSupport.stream(Recorded.answers("encodings").spliterator(), false)
            .map(
                row ->
                    () -> {
                      String text = row.get("text").textValue();
                      JsonNode parsed = row.has("parsed") ? row.get("parsed") : row.get("plain");
                      assertArrayEquals(
                          Recorded.ids(row.get("plain")), tokenizer.encode(text), text);
                      assertArrayEquals(
                          Recorded.ids(parsed), tokenizer.encode(text, true, true), text);
                    }));
  }

  @Test
  void decodesAsTheReferenceDoes() throws IOException {
    assertAll(
        StreamSupport.stream(Recorded.answers("decodings").spliterator(), false)
            .map(
                row ->
                    () -> {
                      int[] ids = Recorded.ids(row.get("ids"));
                      JsonNode skipped = row.has("skipped") ? row.get("skipped") : row.get("kept");
                      assertEquals(row.get("kept").textValue(), tokenizer.decode(ids, true));
                      assertEquals(skipped.textValue(), tokenizer.decode(ids));
                      assertEquals(skipped.textValue(), Recorded.streamed(tokenizer, ids));
                    }));
  }

  @Test
  void everyCodePointComesBack() {
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
        String text = Character.toString(c);
        if (!tokenizer.decode(tokenizer.encode(text)).equals(text)) {
          assertEquals(text, tokenizer.decode(tokenizer.encode(text)), "U+%04X".formatted(c));
        }
      }
    }
  }

  @Test
  void anyTextComesBackWholeAndStreamed() {
    var random = new SplittableRandom(11);
    for (int round = 0; round < 300; round++) {
      String text = randomText(random, random.nextInt(80));
      int[] ids = tokenizer.encode(text);
      assertEquals(text, tokenizer.decode(ids));
      assertEquals(text, Recorded.streamed(tokenizer, ids));
    }
  }

  private static String randomText(SplittableRandom random, int characters) {
    int[] limits = {0x80, 0x250, 0x3000, 0xD800, 0x110000};
    StringBuilder text = new StringBuilder();
    while (text.codePointCount(0, text.length()) < characters) {
      int c = random.nextInt(limits[random.nextInt(limits.length)]);
      if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
        text.appendCodePoint(c);
      }
    }
    return text.toString();
  }

  @Test
  void wordsAreCutByThemselves() {
    var random = new SplittableRandom(12);
    Ids expected = new Ids();
    StringBuilder text = new StringBuilder();
    for (int round = 0; round < 500; round++) {
      String word = " " + "abcdefghijklmnopqrstuvwxyz".substring(random.nextInt(26));
      expected.add(tokenizer.encode(word));
      text.append(word);
      assertArrayEquals(expected.toArray(), tokenizer.encode(text.toString()));
    }
  }

  @Test
  void specialTokensNeverComeFromPlainText() {
    int[] ids = tokenizer.encode("<|endoftext|> and <|mask|>");
    for (int id : ids) {
      assertFalse(tokenizer.isSpecial(id));
    }
    assertEquals("<|endoftext|> and <|mask|>", tokenizer.decode(ids));
    assertEquals(0, tokenizer.encode("<|endoftext|>", true, true)[0]);
  }

  @Test
  void namesItsTokens() {
    assertEquals(4096, tokenizer.vocabularySize());
    assertEquals("<|endoftext|>", tokenizer.token(0));
    assertEquals(OptionalInt.of(1), tokenizer.id("<|mask|>"));
    assertEquals(OptionalInt.empty(), tokenizer.id("no such token"));
    assertEquals(OptionalInt.of(0), tokenizer.end());
    assertEquals(OptionalInt.empty(), tokenizer.beginning());
    assertTrue(tokenizer.isSpecial(1));
    assertFalse(tokenizer.isSpecial(2));
  }
}
