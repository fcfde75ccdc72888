package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.BatchLimits;
import dev.apus.core.Batcher;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.PrefixReuse;
import dev.apus.core.Reply;
import dev.apus.core.Session;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Token;
import dev.apus.kernels.block.WeightFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many texts at a time, each as if it were alone; of a hybrid with experts. */
class BatcherTest {

  static final int LIMIT = 2000;

  private final Model model = model("qwen3_next", ModelOptions.standard());

  static Model model(String family, ModelOptions options) {
    return Model.random(
        TinyModels.architecture(family), 5, WeightFormat.F32, options.withThreads(2));
  }

  @AfterEach
  void close() {
    model.close();
  }

  static Sampling sampling(int text) {
    return Sampling.plain().withSeed(text).withMaxTokens(5 + text % 7);
  }

  /** Texts of 1 to 300 tokens. */
  static int[] prompt(int text) {
    return TinyModels.tokens(1 + text * 53 % 300, text);
  }

  static List<Integer> alone(Model model, int text) {
    try (Session session = model.newSession(LIMIT)) {
      return session.start(prompt(text), sampling(text)).stream().map(Token::id).toList();
    }
  }

  static List<Integer> ids(Reply reply) {
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

  /** What sorts its first run gets it whole, however few rows a pass is to have. */
  @ParameterizedTest
  @ValueSource(strings = {"reformer", "routing-transformer"})
  void promptsThatAreSortedAreNotCut(String family) {
    int limit = TinyModels.LIMIT;
    try (Model sorting = model(family, ModelOptions.standard());
        Batcher batcher = new Batcher(sorting, BatchLimits.standard().withRows(19))) {
      List<Reply> replies =
          IntStream.range(0, 12)
              .mapToObj(i -> batcher.submit(shortPrompt(i), sampling(i), limit))
              .toList();
      for (int i = 0; i < replies.size(); i++) {
        try (Session session = sorting.newSession(limit)) {
          List<Integer> alone =
              session.start(shortPrompt(i), sampling(i)).stream().map(Token::id).toList();
          assertEquals(alone, ids(replies.get(i)), "text " + i);
        }
      }
    }
  }

  private static int[] shortPrompt(int text) {
    return TinyModels.tokens(1 + text * 53 % 130, text);
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
            assertEquals(length, reused, "text " + text + " of " + length);
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
