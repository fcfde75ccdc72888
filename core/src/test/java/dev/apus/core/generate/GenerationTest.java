package dev.apus.core.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.tokenizer.TextDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is generated, when it ends, and what the source holds afterwards. */
class GenerationTest {

  private static final int[] PROMPT = {3, 1};
  private static final Sampling GREEDY = Sampling.greedy();

  /** The ways to take tokens. */
  enum Taking {
    ITERATOR(generation -> iterate(generation)),
    CALLBACK(
        generation -> {
          List<Token> tokens = new ArrayList<>();
          generation.forEachRemaining(tokens::add);
          return tokens;
        }),
    STREAM(generation -> generation.stream().toList()),
    PARALLEL_STREAM(generation -> generation.stream().parallel().toList()),
    STREAM_ITERATOR(generation -> iterate(generation.stream().iterator()));

    private final Function<Generation, List<Token>> way;

    Taking(Function<Generation, List<Token>> way) {
      this.way = way;
    }

    List<Token> all(Generation generation) {
      return way.apply(generation);
    }

    private static List<Token> iterate(Iterator<Token> iterator) {
      List<Token> tokens = new ArrayList<>();
      while (iterator.hasNext()) {
        tokens.add(iterator.next());
      }
      return tokens;
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyTokenComesOnceInOrderHoweverItIsTaken(Taking taking) {
    var source = FakeSource.saying(9, 2, 4, 0, 8, 8, 2, 5);
    var generation = generation(source, GREEDY.withMaxTokens(6));
    List<Token> tokens = taking.all(generation);
    assertEquals(List.of(4, 0, 8, 8, 2, 5), ids(tokens));
    assertEquals("eaiicf", text(tokens));
    assertEquals(List.of(3, 1, 4, 0, 8, 8, 2, 5), source.tokens);
    assertEquals(6, source.steps);
    assertEnded(generation, StopReason.MAX_TOKENS, source);
  }

  @Test
  void callbacksRunOnTheThreadThatPulls() {
    Set<Thread> threads = new HashSet<>();
    generation(FakeSource.mixing(9), GREEDY.withMaxTokens(20)).stream()
        .parallel()
        .forEach(token -> threads.add(Thread.currentThread()));
    assertEquals(Set.of(Thread.currentThread()), threads);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 19, 20})
  void aGenerationMayBeCutAnywhere(int cut) {
    var whole = FakeSource.mixing(9);
    List<Token> expected = generation(whole, GREEDY.withMaxTokens(20)).stream().toList();
    var source = FakeSource.mixing(9);
    List<Token> tokens =
        new ArrayList<>(generation(source, GREEDY.withMaxTokens(cut)).stream().toList());
    if (cut < 20) {
      Sampling rest = GREEDY.withMaxTokens(20 - cut);
      tokens.addAll(
          new Generation(source, letters(), Set.of(), new int[0], rest).stream().toList());
    }
    assertEquals(expected, tokens);
    assertEquals(whole.tokens, source.tokens);
  }

  @Test
  void theSameSeedGivesTheSameTokens() {
    Sampling sampling = Sampling.standard().withSeed(11).withMaxTokens(50);
    List<Token> tokens = generation(FakeSource.mixing(9), sampling).stream().toList();
    assertEquals(tokens, generation(FakeSource.mixing(9), sampling).stream().toList());
    Sampling other = sampling.withSeed(12);
    assertFalse(tokens.equals(generation(FakeSource.mixing(9), other).stream().toList()));
  }

  @Test
  void aTokenThatEndsTheTextIsHandedOutButIsNoText() {
    var source = FakeSource.saying(9, 2, 4, 7, 6);
    var generation = new Generation(source, letters(), Set.of(7, 8), PROMPT, GREEDY);
    List<Token> tokens = generation.stream().toList();
    assertEquals(List.of(4, 7), ids(tokens));
    assertEquals("e", text(tokens));
    assertEquals(List.of(3, 1, 4), source.tokens);
    assertEnded(generation, StopReason.END_OF_TEXT, source);
  }

  @Test
  void stopTokensEndTheGeneration() {
    var source = FakeSource.saying(9, 2, 4, 2, 6);
    var generation = generation(source, GREEDY.withStopTokens(Set.of(2)).withMaxTokens(2));
    assertEquals("e", text(generation.stream().toList()));
    assertEquals(List.of(3, 1, 4), source.tokens);
    assertEnded(generation, StopReason.STOP_TOKEN, source);
  }

  /** The text is cut into tokens in every possible way; the stop text ends in one of them. */
  @ParameterizedTest(name = "{0} before {1}")
  @CsvSource({"abcabdxy, abd, abc", "aaaabxx, aab, aa", "stop, stop, ''", "é🐦x🐦🐤., 🐦🐤, é🐦x"})
  void theTextEndsBeforeAStopTextHoweverItIsCut(String text, String stop, String expected) {
    int stopEndsAt = expected.length() + stop.length();
    for (int cuts = 0; cuts < 1 << (text.length() - 1); cuts++) {
      String[] pieces = pieces(text, cuts);
      if (pieces == null) {
        continue;
      }
      int[] script = IntStream.range(0, pieces.length).toArray();
      var source = FakeSource.saying(pieces.length, 2, script);
      Sampling sampling = GREEDY.withStop("nowhere", stop).withMaxTokens(pieces.length);
      var generation =
          new Generation(source, PieceDecoder.of(pieces), Set.of(), new int[] {0, 0}, sampling);
      List<Token> tokens = generation.stream().toList();
      assertEquals(expected, text(tokens), String.join("|", pieces));
      assertEnded(generation, StopReason.STOP_TEXT, source);
      int length = 0;
      int needed = 0;
      while (length < stopEndsAt) {
        length += pieces[needed++].length();
      }
      assertEquals(needed, tokens.size(), "tokens of " + String.join("|", pieces));
      assertEquals(2 + needed, source.length());
    }
  }

  @Test
  void whatMightHaveBeenAStopTextIsReleasedAtTheEnd() {
    Sampling sampling = GREEDY.withStop("efg");
    assertEquals("aef", textOf(sampling.withMaxTokens(3), 0, 4, 5));
    assertEquals("aefe", textOf(sampling.withMaxTokens(4), 0, 4, 5, 4));
    assertEquals("aef", textOf(sampling.withStopTokens(Set.of(8)), 0, 4, 5, 8));
  }

  @Test
  void streamedBytesAreTheTextForEveryLength() {
    String text = "aé🐦👩‍👩‍👧 ńg\u0301!";
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] script = IntStream.range(0, bytes.length).map(i -> bytes[i] & 0xFF).toArray();
    for (int length = 1; length <= bytes.length; length++) {
      var source = FakeSource.saying(256, 1, script);
      var generation =
          new Generation(
              source,
              PieceDecoder.ofBytes(),
              Set.of(),
              new int[] {0},
              GREEDY.withMaxTokens(length).withStop("nowhere", "g?"));
      List<Token> tokens = generation.stream().toList();
      PieceDecoder decoder = PieceDecoder.ofBytes();
      String expected =
          IntStream.range(0, length)
                  .mapToObj(i -> decoder.append(script[i]))
                  .collect(Collectors.joining())
              + decoder.flush();
      assertEquals(expected, text(tokens), length + " bytes");
      for (Token token : tokens) {
        assertTrue(StandardCharsets.UTF_8.newEncoder().canEncode(token.text()));
      }
    }
  }

  @Test
  void endsWhenTheContextIsFull() {
    var source = FakeSource.saying(9, 2, 4, 4, 5, 6);
    source.limit = 5;
    var generation = generation(source, GREEDY.withStop("ef!"));
    assertEquals("eef", text(generation.stream().toList()), "held-back text is released");
    assertEquals(5, source.length());
    assertEnded(generation, StopReason.CONTEXT_FULL, source);
  }

  @Test
  void aPromptThatFillsTheContextLeavesNoRoom() {
    var source = FakeSource.mixing(9);
    source.limit = 2;
    var generation = generation(source, GREEDY);
    assertEquals(List.of(), generation.stream().toList());
    assertEquals(0, source.steps);
    assertEnded(generation, StopReason.CONTEXT_FULL, source);
    assertThrows(IllegalArgumentException.class, () -> generation(source, GREEDY));
    assertEquals(List.of(3, 1), source.tokens);
    assertEquals(0, source.openMarks);
  }

  @Test
  void refusesWhatItCannotStart() {
    var source = FakeSource.mixing(9);
    assertRefused(
        "the prompt is empty and so is the sequence; there is nothing to continue",
        () -> new Generation(source, letters(), Set.of(), new int[0], GREEDY));
    assertRefused(
        "stopTokens holds 9; the vocabulary has the ids 0 to 8",
        () -> generation(source, GREEDY.withStopTokens(Set.of(9))));
    assertRefused(
        "endTokens holds -1; the vocabulary has the ids 0 to 8",
        () -> new Generation(source, letters(), Set.of(-1), PROMPT, GREEDY));
    assertEquals(List.of(), source.tokens);
    assertEquals(0, source.openMarks);
  }

  @Test
  void thereIsNothingAfterTheLastToken() {
    var generation = generation(FakeSource.mixing(9), GREEDY.withMaxTokens(1));
    generation.next();
    assertFalse(generation.hasNext());
    var e = assertThrows(NoSuchElementException.class, generation::next);
    assertEquals("the generation has ended: MAX_TOKENS", e.getMessage());
    assertEquals(0, generation.stream().count());
  }

  @Test
  void askingForTheNextTokenTwiceComputesItOnce() {
    var source = FakeSource.mixing(9);
    var generation = generation(source, GREEDY);
    assertTrue(generation.hasNext());
    assertTrue(generation.hasNext());
    assertEquals(1, source.steps);
    assertEquals(source.tokens.getLast(), generation.next().id());
  }

  @Test
  void aStreamComputesNoMoreThanIsTaken() {
    var source = FakeSource.mixing(9);
    assertEquals(3, generation(source, GREEDY).stream().limit(3).count());
    assertEquals(3, source.steps);
    assertEquals(5, source.length());
  }

  @Test
  void tokensCarryTheLikeliestTokens() {
    var source = FakeSource.mixing(9);
    var token = generation(source, GREEDY.withTopLogProbabilities(2)).next();
    assertEquals(2, token.top().size());
    assertEquals(new TokenProbability(token.id(), token.logProbability()), token.top().getFirst());
  }

  /** The clock ticks 1, 2, 4, 8 … ns, so every difference says which two readings it is of. */
  @Test
  void usageCountsTheStepsAndNotTheWaiting() {
    long[] now = {1};
    var source = FakeSource.mixing(9);
    var generation =
        new Generation(
            source, letters(), Set.of(), PROMPT, GREEDY.withMaxTokens(3), null, () -> now[0] *= 2);
    assertEquals(new Usage(2, 0, Duration.ZERO, 0, Duration.ZERO), generation.usage());
    assertEquals(0, generation.usage().promptTokensPerSecond());
    generation.next();
    assertEquals(new Usage(2, 0, Duration.ofNanos(2), 1, Duration.ZERO), generation.usage());
    assertEquals(0, generation.usage().tokensPerSecond());
    generation.next();
    generation.next();
    Usage usage = generation.usage();
    assertEquals(new Usage(2, 0, Duration.ofNanos(2), 3, Duration.ofNanos(8 + 32)), usage);
    assertEquals(1e9, usage.promptTokensPerSecond());
    assertEquals(5e7, usage.tokensPerSecond());
    assertFalse(generation.hasNext());
    assertEquals(usage, generation.usage());
  }

  @Test
  void processorsSeePromptAndText() {
    List<String> seen = new ArrayList<>();
    Sampling sampling =
        GREEDY
            .withMaxTokens(2)
            .withProcessor(
                (tokens, logits) -> {
                  int[] copy = new int[tokens.remaining()];
                  tokens.get(copy);
                  seen.add(Arrays.toString(copy));
                });
    assertEquals(2, generation(FakeSource.saying(9, 2, 5, 6), sampling).stream().count());
    assertEquals(List.of("[3, 1]", "[3, 1, 5]"), seen);
  }

  private static void assertEnded(Generation generation, StopReason reason, FakeSource source) {
    assertSame(reason, generation.stopReason().orElseThrow());
    assertFalse(generation.hasNext());
    assertFalse(generation.isBusy());
    assertEquals(0, source.openMarks, "open marks");
  }

  private static void assertRefused(String message, Runnable start) {
    var e = assertThrows(IllegalArgumentException.class, start::run);
    assertEquals(message, e.getMessage());
  }

  private static String textOf(Sampling sampling, int... script) {
    return text(generation(FakeSource.saying(9, 2, script), sampling).stream().toList());
  }

  static Generation generation(FakeSource source, Sampling sampling) {
    return new Generation(source, letters(), Set.of(), PROMPT, sampling);
  }

  static TextDecoder letters() {
    return PieceDecoder.of("a", "b", "c", "d", "e", "f", "g", "h", "i");
  }

  private static List<Integer> ids(List<Token> tokens) {
    return tokens.stream().map(Token::id).toList();
  }

  private static String text(List<Token> tokens) {
    return tokens.stream().map(Token::text).collect(Collectors.joining());
  }

  /** The pieces between the cuts; null if a cut would halve a character. */
  private static String[] pieces(String text, int cuts) {
    List<String> pieces = new ArrayList<>();
    int from = 0;
    for (int to = 1; to <= text.length(); to++) {
      if (to == text.length() || (cuts & 1 << (to - 1)) != 0) {
        if (to < text.length() && Character.isLowSurrogate(text.charAt(to))) {
          return null;
        }
        pieces.add(text.substring(from, to));
        from = to;
      }
    }
    return pieces.toArray(String[]::new);
  }
}
