package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.BatchLimits;
import dev.apus.core.Batcher;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.PrefixReuse;
import dev.apus.core.Reply;
import dev.apus.core.Session;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.LogitsProcessor;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Token;
import dev.apus.kernels.block.WeightFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many texts at a time, each as if it were alone; of a hybrid with experts. */
class BatcherTest {

  private static final int LIMIT = 2000;

  private final Model model = model("qwen3_next", ModelOptions.standard());

  private static Model model(String family, ModelOptions options) {
    return Model.random(
        TinyModels.architecture(family), 5, WeightFormat.F32, options.withThreads(2));
  }

  @AfterEach
  void close() {
    model.close();
  }

  private static Sampling sampling(int text) {
    return Sampling.plain().withSeed(text).withMaxTokens(5 + text % 7);
  }

  /** Texts of 1 to 300 tokens. */
  private static int[] prompt(int text) {
    return TinyModels.tokens(1 + text * 53 % 300, text);
  }

  private static List<Integer> alone(Model model, int text) {
    try (Session session = model.newSession(LIMIT)) {
      return session.start(prompt(text), sampling(text)).stream().map(Token::id).toList();
    }
  }

  private static List<Integer> ids(Reply reply) {
    return reply.join().tokens().stream().map(Token::id).toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 19, 64, 1000})
  void eachGetsTheBitsThatItGetsAlone(int rows) {
    try (Batcher batcher =
        new Batcher(model, BatchLimits.standard().withRows(rows).withSessions(7))) {
      List<Reply> replies =
          IntStream.range(0, 20)
              .mapToObj(text -> batcher.submit(prompt(text), sampling(text), LIMIT))
              .toList();
      for (int text = 0; text < replies.size(); text++) {
        assertEquals(alone(model, text), ids(replies.get(text)), "text " + text);
      }
    }
  }

  @Test
  void logitsAreTheSameToo() {
    List<Session> sessions = IntStream.range(0, 9).mapToObj(i -> model.newSession(LIMIT)).toList();
    try (Batcher batcher = new Batcher(model, BatchLimits.standard().withRows(50))) {
      List<Reply> replies =
          IntStream.range(0, 9)
              .mapToObj(i -> batcher.submit(sessions.get(i), prompt(i), sampling(i)))
              .toList();
      replies.forEach(Reply::join);
    }
    for (int i = 0; i < 9; i++) {
      try (Session alone = model.newSession(LIMIT)) {
        alone.start(prompt(i), sampling(i)).forEachRemaining(token -> {});
        assertArrayEquals(alone.tokens(), sessions.get(i).tokens());
        assertArrayEquals(alone.logits(), sessions.get(i).logits(), "session " + i);
      }
      sessions.get(i).close();
    }
  }

  @Test
  void threadsSubmitAndTakeAsTheyLike() throws Exception {
    List<List<Integer>> expected = IntStream.range(0, 24).mapToObj(i -> alone(model, i)).toList();
    try (Batcher batcher = new Batcher(model);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<Integer>>> answers =
          IntStream.range(0, 24)
              .mapToObj(
                  i ->
                      threads.submit(
                          () ->
                              batcher.submit(prompt(i), sampling(i), LIMIT).stream()
                                  .map(Token::id)
                                  .toList()))
              .toList();
      for (int i = 0; i < 24; i++) {
        assertEquals(expected.get(i), answers.get(i).get(), "text " + i);
      }
      assertEquals(0, batcher.bytes());
      assertEquals(0, batcher.size());
    }
  }

  @Test
  void aConversationGoesOnInItsSession() {
    try (Batcher batcher = new Batcher(model);
        Session session = model.newSession(LIMIT);
        Session alone = model.newSession(LIMIT)) {
      for (int turn = 0; turn < 3; turn++) {
        Reply reply = batcher.submit(session, prompt(turn), sampling(turn));
        List<Integer> expected =
            alone.start(prompt(turn), sampling(turn)).stream().map(Token::id).toList();
        Reply.Completion completion = reply.join();
        assertEquals(expected, completion.tokens().stream().map(Token::id).toList());
        assertEquals(prompt(turn).length, completion.usage().promptTokens());
        assertEquals(expected.size(), completion.usage().generatedTokens());
        assertEquals(StopReason.MAX_TOKENS, reply.stopReason().orElseThrow());
      }
      assertArrayEquals(alone.tokens(), session.tokens());
    }
  }

  /** Counts the tokens that others get while a long prompt is read. */
  @Test
  void aLongPromptHoldsUpNobody() {
    int[] book = TinyModels.tokens(1500, 1);
    try (Batcher batcher = new Batcher(model, BatchLimits.standard().withRows(40))) {
      Reply generating =
          batcher.submit(new int[] {1}, Sampling.plain().withMaxTokens(LIMIT - 1), LIMIT);
      generating.next();
      Reply reading = batcher.submit(book, sampling(1), LIMIT);
      Reply small = batcher.submit(prompt(1), sampling(1), LIMIT);
      assertEquals(alone(model, 1), ids(small));
      assertTrue(reading.stopReason().isEmpty(), "a short prompt does not wait for a long one");
      reading.next();
      generating.cancel();
      int tokens = generating.join().usage().generatedTokens();
      assertTrue(tokens >= 1500 / 40, tokens + " tokens while 1500 were read 40 at a time");
    }
  }

  @Test
  void promptsAreReadHoweverManyGenerate() {
    try (Batcher batcher = new Batcher(model, BatchLimits.standard().withRows(16))) {
      List<Reply> generating = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        generating.add(
            batcher.submit(new int[] {i}, Sampling.plain().withMaxTokens(LIMIT - 1), LIMIT));
      }
      generating.forEach(Reply::next);
      Reply prompt = batcher.submit(prompt(3), sampling(3), LIMIT);
      assertEquals(alone(model, 3), ids(prompt));
      for (Reply reply : generating) {
        assertTrue(reply.stopReason().isEmpty(), "none may have ended before");
        reply.next();
        reply.cancel();
      }
    }
  }

  @Test
  void aCancelledTextEndsAndItsSessionGoesOn() {
    try (Batcher batcher = new Batcher(model, BatchLimits.standard().withRows(32));
        Session session = model.newSession(LIMIT);
        Session alone = model.newSession(LIMIT)) {
      Reply reply = batcher.submit(session, prompt(2), Sampling.greedy().withMaxTokens(1500));
      reply.next();
      reply.cancel();
      Reply.Completion completion = reply.join();
      assertEquals(StopReason.CANCELLED, completion.stopReason());
      int[] tokens = session.tokens();
      assertEquals(prompt(2).length + completion.tokens().size(), tokens.length);
      alone
          .start(prompt(2), Sampling.greedy().withMaxTokens(completion.tokens().size()))
          .forEachRemaining(token -> {});
      assertArrayEquals(alone.logits(), session.logits());
    }
  }

  /** A processor that fails, a prompt that does not fit, a session that is closed meanwhile. */
  @Test
  void aTextThatFailsHarmsNoOther() {
    LogitsProcessor failing =
        (history, logits) -> {
          if (history.remaining() > 12) {
            throw new IllegalStateException("no more");
          }
        };
    try (Batcher batcher = new Batcher(model);
        Session session = model.newSession(LIMIT)) {
      List<Reply> good = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        good.add(batcher.submit(prompt(i), sampling(i), LIMIT));
      }
      Reply bad =
          batcher.submit(session, new int[] {1, 2}, Sampling.greedy().withProcessor(failing));
      Reply unfit = batcher.submit(new int[] {1, 2, 3}, Sampling.greedy(), 2);
      Session gone = model.newSession(LIMIT);
      Reply orphan = batcher.submit(gone, prompt(9), Sampling.greedy().withMaxTokens(1500));
      orphan.next();
      while (!tryClose(gone)) {
        Thread.onSpinWait();
      }
      var thrown = assertThrows(CompletionException.class, () -> bad.future().join());
      assertTrue(thrown.getCause() instanceof GenerationException, () -> "" + thrown.getCause());
      assertTrue(thrown.getCause().getMessage().contains("no more"));
      assertEquals(0, session.length(), "the session is where it was before the prompt");
      assertThrows(GenerationException.class, unfit::hasNext);
      orphan.future().handle((completion, failure) -> true).join();
      for (int i = 0; i < 5; i++) {
        assertEquals(alone(model, i), ids(good.get(i)), "text " + i);
      }
      assertEquals(5 + 2, batcher.submit(session, prompt(2), sampling(2)).join().tokens().size());
    }
  }

  private static boolean tryClose(Session session) {
    try {
      session.close();
      return true;
    } catch (IllegalStateException busy) {
      return false;
    }
  }

  @Test
  void whatCannotBeTakenOnIsSaidAtOnce() throws Exception {
    var inside = new CountDownLatch(1);
    var go = new CountDownLatch(1);
    LogitsProcessor blocking =
        (history, logits) -> {
          inside.countDown();
          try {
            go.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    Batcher batcher = new Batcher(model, BatchLimits.standard().withSessions(1).withWaiting(2));
    try (Session session = model.newSession(5);
        Model other = model("llama", ModelOptions.standard());
        Session foreign = other.newSession(5)) {
      Reply first = batcher.submit(new int[] {1}, Sampling.greedy().withProcessor(blocking), LIMIT);
      assertTrue(inside.await(60, TimeUnit.SECONDS));
      assertThrows(
          IllegalArgumentException.class,
          () -> batcher.submit(foreign, new int[] {1}, Sampling.greedy()));
      assertThrows(
          IllegalArgumentException.class,
          () -> batcher.submit(session, new int[6], Sampling.greedy()));
      Reply second = batcher.submit(session, new int[] {1}, Sampling.greedy());
      assertThrows(
          IllegalStateException.class,
          () -> batcher.submit(session, new int[] {1}, Sampling.greedy()));
      Reply third = batcher.submit(new int[] {1}, Sampling.greedy(), LIMIT);
      assertThrows(
          RejectedExecutionException.class,
          () -> batcher.submit(new int[] {1}, Sampling.greedy(), LIMIT));
      Thread closing = Thread.ofVirtual().start(batcher::close);
      assertThrows(
          IllegalStateException.class,
          () -> {
            while (true) {
              try {
                batcher.submit(new int[] {1}, Sampling.greedy(), LIMIT);
              } catch (RejectedExecutionException full) {
                Thread.onSpinWait();
              }
            }
          });
      go.countDown();
      closing.join();
      for (Reply reply : List.of(first, second, third)) {
        assertEquals(StopReason.CANCELLED, reply.join().stopReason());
      }
      assertArrayEquals(new int[] {1}, session.tokens());
    }
    batcher.close();
  }

  @Test
  void closingTheModelEndsEveryText() {
    Model closing = model("qwen3_next", ModelOptions.standard());
    try (Batcher batcher = new Batcher(closing)) {
      List<Reply> replies =
          IntStream.range(0, 4)
              .mapToObj(i -> batcher.submit(prompt(i), Sampling.plain().withMaxTokens(1500), LIMIT))
              .toList();
      replies.forEach(Reply::next);
      closing.close();
      for (Reply reply : replies) {
        assertThrows(GenerationException.class, reply::join);
      }
    }
  }

  @Test
  void beginningsAreReused() {
    try (Model reusing =
            model(
                "qwen3_next",
                ModelOptions.standard().withPrefixReuse(PrefixReuse.of(64 << 20).exactly()));
        Batcher batcher = new Batcher(reusing, BatchLimits.standard().withRows(30))) {
      for (int round = 0; round < 2; round++) {
        List<Reply> replies =
            IntStream.range(0, 6)
                .mapToObj(text -> batcher.submit(prompt(text), sampling(text), LIMIT))
                .toList();
        for (int text = 0; text < 6; text++) {
          assertEquals(alone(model, text), ids(replies.get(text)), "text " + text);
          int length = prompt(text).length;
          int reused = replies.get(text).join().usage().reusedTokens();
          if (round == 1 && length >= 16) {
            assertEquals(length / 4 * 4, reused, "text " + text + " of " + length);
          }
        }
      }
    }
  }

  /** The memory of a recurrent session does not depend on how much it has read. */
  @Test
  void recurrentSessionsTakeConstantMemory() {
    try (Model recurrent = model("mamba2", ModelOptions.standard());
        Batcher batcher = new Batcher(recurrent)) {
      List<Session> sessions = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        Session session = recurrent.newSession(100_000);
        sessions.add(session);
        batcher.submit(session, TinyModels.tokens(1 + 7 * i, i), Sampling.plain().withMaxTokens(2));
      }
      while (batcher.size() > 0) {
        Thread.onSpinWait();
      }
      assertEquals(0, recurrent.stateBytesPerToken());
      long one = sessions.getFirst().bytes();
      for (Session session : sessions) {
        assertEquals(one, session.bytes(), session.length() + " tokens");
        session.close();
      }
    }
  }
}
