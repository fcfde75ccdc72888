package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostileTextTest {

  private final Tokenizer tokenizer = Recorded.fable();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a",
        "A",
        " ",
        "\n",
        " \n",
        "1",
        "!",
        "'s",
        "日",
        "😀",
        "\u0301",
        "a\u0301",
        "\0",
        "\uFEFF",
        "\uE000",
        "\uDBFF\uDFFF",
        "<|endoftext|>",
        "<|"
      })
  void aMegabyteOfAnythingComesBack(String unit) {
    String text = unit.repeat((1 << 20) / unit.length());
    assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
  }

  @Test
  void aMegabyteInOneWordComesBack() {
    var random = new SplittableRandom(9);
    StringBuilder word = new StringBuilder();
    while (word.length() < 1 << 20) {
      word.append((char) ('a' + random.nextInt(26)));
    }
    assertEquals(word.toString(), tokenizer.decode(tokenizer.encode(word.toString())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\uD800", "\uDC00", "a\uD83Db", "\uDE00\uD83D", "\uD83D\uD83D\uDE00"})
  void loneSurrogatesAreReplaced(String text) {
    String mended = new String(text.getBytes(StandardCharsets.UTF_16), StandardCharsets.UTF_16);
    assertArrayEquals(tokenizer.encode(mended), tokenizer.encode(text));
    assertEquals(mended, tokenizer.decode(tokenizer.encode(text)));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 4096, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void idsOutsideTheVocabularyAreRefused(int id) {
    String message = "token id " + id + " is outside the vocabulary of 4096 tokens";
    int[] ids = {5, id};
    for (Callable<?> call :
        new Callable<?>[] {
          () -> tokenizer.decode(ids),
          () -> tokenizer.newDecoder().append(id),
          () -> tokenizer.token(id),
          () -> tokenizer.isSpecial(id)
        }) {
      assertEquals(message, assertThrows(IllegalArgumentException.class, call::call).getMessage());
    }
  }

  @Test
  void halfACharacterWaitsUntilTheFlush() {
    TextDecoder decoder = tokenizer.newDecoder();
    int[] bytes = TinyBytes.ids(tokenizer, "😀");
    assertEquals("", decoder.append(bytes[0]) + decoder.append(bytes[1]));
    assertEquals("", decoder.append(bytes[2]));
    assertEquals("😀", decoder.append(bytes[3]));
    assertEquals("", decoder.append(bytes[0]));
    assertEquals("\uFFFD", decoder.flush());
    assertEquals("", decoder.flush());
    assertEquals("", decoder.append(bytes[0]));
    assertEquals("\uFFFDa", decoder.append(tokenizer.id("a").getAsInt()));
  }

  @Test
  void threadsShareATokenizer() throws InterruptedException, ExecutionException {
    String text = "Once upon a time, a small bird sang of rivers and ½ of the hills. ";
    int[] expected = Recorded.fable().encode(text.repeat(50));
    Callable<int[]> task = () -> tokenizer.encode(text.repeat(50));
    try (var threads = Executors.newFixedThreadPool(8)) {
      for (var result : threads.invokeAll(IntStream.range(0, 64).mapToObj(_ -> task).toList())) {
        assertArrayEquals(expected, result.get());
      }
    }
  }
}
