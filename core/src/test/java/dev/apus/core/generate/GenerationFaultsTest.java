package dev.apus.core.generate;

import static dev.apus.core.generate.GenerationTest.generation;
import static dev.apus.core.generate.GenerationTest.letters;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens when a generation is cancelled, misused, or fails. */
class GenerationFaultsTest {

  private static final Sampling FIVE = Sampling.greedy().withMaxTokens(5);

  private final FakeSource source = FakeSource.mixing(9);

  @Test
  void cancelledBeforeTheFirstToken() {
    var generation = generation(source, FIVE);
    generation.cancel();
    assertFalse(generation.hasNext());
    assertEquals(0, source.steps);
    assertEquals(List.of(3, 1), source.tokens);
    assertEnded(generation, StopReason.CANCELLED);
  }

  @Test
  void cancelledInsideAStep() {
    var generation = generation(source, FIVE);
    int first = generation.next().id();
    source.insideStep = generation::cancel;
    assertFalse(generation.hasNext());
    assertEquals(List.of(3, 1, first), source.tokens);
    assertEnded(generation, StopReason.CANCELLED);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4})
  void cancelledInACallback(int after) {
    var generation = generation(source, FIVE);
    List<Token> tokens = new ArrayList<>();
    generation.forEachRemaining(
        token -> {
          tokens.add(token);
          if (tokens.size() == after) {
            generation.cancel();
          }
        });
    assertEquals(after, tokens.size());
    assertEquals(2 + after, source.length());
    assertEnded(generation, StopReason.CANCELLED);
  }

  @Test
  void aTokenThatWasPromisedIsHandedOut() {
    var generation = generation(source, FIVE);
    assertTrue(generation.hasNext());
    generation.cancel();
    assertEquals(source.tokens.getLast(), generation.next().id());
    assertEnded(generation, StopReason.CANCELLED);
  }

  @Test
  void cancellingAfterTheLastTokenChangesNothing() {
    var generation = generation(source, FIVE);
    assertEquals(5, generation.stream().count());
    generation.cancel();
    generation.close();
    assertEnded(generation, StopReason.MAX_TOKENS);
  }

  @Test
  void anInterruptCancels() {
    var generation = generation(source, FIVE);
    generation.next();
    Thread.currentThread().interrupt();
    try {
      assertFalse(generation.hasNext());
    } finally {
      assertTrue(Thread.interrupted(), "the interrupt must stay set");
    }
    assertEnded(generation, StopReason.CANCELLED);
  }

  @Test
  void closingEndsAndMayBeRepeated() {
    var generation = generation(source, FIVE);
    try (generation) {
      generation.next();
    }
    generation.close();
    assertEquals(3, source.length());
    assertEnded(generation, StopReason.CANCELLED);
  }

  @Test
  void closingInACallbackEndsAfterIt() {
    var generation = generation(source, FIVE);
    generation.forEachRemaining(token -> generation.close());
    assertEquals(3, source.length());
    assertEnded(generation, StopReason.CANCELLED);
  }

  @Test
  void closingTheStreamClosesTheGeneration() {
    var generation = generation(source, FIVE);
    try (var tokens = generation.stream()) {
      assertTrue(tokens.findFirst().isPresent());
    }
    assertEnded(generation, StopReason.CANCELLED);
  }

  @Test
  void aSourceThatCancelsUnaskedHasFailed() {
    var generation = generation(source, FIVE);
    source.insideStep =
        () -> {
          throw new CancellationException("by itself");
        };
    var e = assertThrows(GenerationException.class, generation::next);
    assertEquals("token 1 was cancelled by the model: " + e.getCause().toString(), e.getMessage());
    assertRewound(generation);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void aFailingStepRewindsTheSource(int step) {
    var cause = new InternalError("a fault occurred");
    source.insideStep =
        () -> {
          if (source.steps == step) {
            throw cause;
          }
        };
    var generation = generation(source, FIVE);
    var e = assertThrows(GenerationException.class, () -> generation.stream().toList());
    assertEquals(
        "token " + step + " could not be computed: java.lang.InternalError: a fault occurred",
        e.getMessage());
    assertSame(cause, e.getCause());
    assertRewound(generation);
  }

  @Test
  void logitsThatAreNotFiniteRewindTheSource() {
    var broken = new FakeSource(3, tokens -> new float[] {0, tokens.size() < 6 ? 1 : Float.NaN, 0});
    broken.append(new int[] {2, 2});
    var generation = generation(broken, FIVE);
    var e = assertThrows(GenerationException.class, () -> generation.forEachRemaining(t -> {}));
    assertEquals(
        "token 3 could not be computed: "
            + "the logit of token 1, from the model, is NaN; it must be finite",
        e.getMessage());
    assertEquals(List.of(2, 2), broken.tokens);
    assertEquals(0, broken.openMarks);
  }

  @Test
  void aProcessorThatBansEverythingRewindsTheSource() {
    Sampling sampling =
        FIVE.withProcessor((tokens, logits) -> Arrays.fill(logits, Float.NEGATIVE_INFINITY));
    var generation = generation(source, sampling);
    assertThrows(GenerationException.class, generation::hasNext);
    assertRewound(generation);
  }

  /** The last token too, although the generation has then ended. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5})
  void aFailingCallbackRewindsTheSource(int at) {
    var cause = new UnsupportedOperationException("full disk");
    int[] seen = {0};
    Consumer<Token> callback =
        token -> {
          if (++seen[0] == at) {
            throw cause;
          }
        };
    var byCallback = generation(source, FIVE);
    var e = assertThrows(GenerationException.class, () -> byCallback.forEachRemaining(callback));
    assertSame(cause, e.getCause());
    assertEquals("the callback failed at token " + at + ": " + cause, e.getMessage());
    assertEquals(0, e.getSuppressed().length);
    assertRewound(byCallback);

    seen[0] = 0;
    var byStream = generation(source, FIVE);
    var f = assertThrows(GenerationException.class, () -> byStream.stream().forEach(callback));
    assertSame(cause, f.getCause());
    assertRewound(byStream);
  }

  @Test
  void aCallbackMayFailAtATokenComputedBefore() {
    var generation = generation(source, FIVE.withMaxTokens(1));
    assertTrue(generation.hasNext());
    Consumer<Token> callback =
        token -> {
          throw new UnsupportedOperationException();
        };
    var e = assertThrows(GenerationException.class, () -> generation.forEachRemaining(callback));
    assertEquals(0, e.getSuppressed().length);
    assertRewound(generation);
  }

  @Test
  void aSourceThatCannotRewindSaysSoToo() {
    var generation =
        new Generation(
            new TokenSourceWithBrokenMark(source), letters(), Set.of(), new int[] {3, 1}, FIVE);
    source.insideStep =
        () -> {
          throw new IllegalStateException("closed");
        };
    var e = assertThrows(GenerationException.class, generation::next);
    assertEquals("no way back", e.getSuppressed()[0].getMessage());
    assertSame(StopReason.FAILED, generation.stopReason().orElseThrow());
  }

  @Test
  void aCallbackCannotPull() {
    var generation = generation(source, FIVE);
    var e =
        assertThrows(
            GenerationException.class,
            () -> generation.forEachRemaining(token -> generation.next()));
    assertSame(IllegalStateException.class, e.getCause().getClass());
    assertEquals(
        "the generation is in use, by another thread or by the callback that called it",
        e.getCause().getMessage());
    assertRewound(generation);
  }

  @Test
  void twoThreadsCannotPull() {
    var generation = generation(source, FIVE);
    var failure = new AtomicReference<Throwable>();
    generation.forEachRemaining(
        token -> {
          assertTrue(generation.isBusy());
          var other = new Thread(generation::hasNext);
          other.setUncaughtExceptionHandler((thread, e) -> failure.set(e));
          other.start();
          join(other);
        });
    assertSame(IllegalStateException.class, failure.get().getClass());
    assertEquals(7, source.length(), "the first thread must not be disturbed");
    assertEnded(generation, StopReason.MAX_TOKENS);
  }

  @Test
  void aSourceThatSomethingElseChangedIsLeftAlone() {
    var generation = generation(source, FIVE);
    generation.next();
    List<Token> other = generation(source, FIVE).stream().toList();
    var e = assertThrows(IllegalStateException.class, generation::hasNext);
    assertEquals(
        "the sequence holds 10 tokens instead of 3: it was changed while it was being continued",
        e.getMessage());
    assertEquals(5, other.size());
    assertEquals(10, source.length());
    assertEnded(generation, StopReason.FAILED);
  }

  @Test
  void theNextGenerationIsNotHarmed() {
    List<Token> expected = generation(FakeSource.mixing(9), FIVE).stream().toList();
    Runnable calm = source.insideStep;
    source.insideStep =
        () -> {
          throw new IllegalStateException("once");
        };
    assertThrows(GenerationException.class, () -> generation(source, FIVE).next());
    source.insideStep = calm;
    assertEquals(expected, generation(source, FIVE).stream().toList());
  }

  private void assertEnded(Generation generation, StopReason reason) {
    assertFalse(generation.hasNext());
    assertSame(reason, generation.stopReason().orElseThrow());
    assertFalse(generation.isBusy());
    assertEquals(0, source.openMarks, "open marks");
  }

  private void assertRewound(Generation generation) {
    assertEquals(List.of(), source.tokens);
    assertEnded(generation, StopReason.FAILED);
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Passes everything on but rewinding. */
  private record TokenSourceWithBrokenMark(FakeSource source) implements TokenSource {

    @Override
    public int vocabulary() {
      return source.vocabulary();
    }

    @Override
    public int length() {
      return source.length();
    }

    @Override
    public int limit() {
      return source.limit();
    }

    @Override
    public void append(int... tokens) {
      source.append(tokens);
    }

    @Override
    public float[] logits(BooleanSupplier cancelled) {
      return source.logits(cancelled);
    }

    @Override
    public Mark mark() {
      return new Mark() {
        @Override
        public void rewind() {
          throw new IllegalStateException("no way back");
        }

        @Override
        public void close() {}
      };
    }
  }
}
