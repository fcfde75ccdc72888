package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Token;
import dev.apus.kernels.block.WeightFormat;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a session promises its user, held by a hybrid with experts. */
class SessionTest {

  private static final int[] TEXT = TinyModels.tokens(50, 1);

  private final Model model =
      Model.random(
          TinyModels.architecture("qwen3_next"),
          5,
          WeightFormat.BF16,
          ModelOptions.standard().withThreads(2));

  @AfterEach
  void close() {
    model.close();
  }

  @Test
  void appendingComputesNothingAndLogitsComputeOnce() {
    try (Session session = model.newSession(100)) {
      session.append(TEXT);
      assertEquals(50, session.length());
      float[] logits = session.logits();
      assertEquals(logits, session.logits(), "the same array, not computed again");
      assertEquals(192, logits.length);
    }
  }

  @Test
  void scoresAreTheLogitsAfterEachToken() {
    try (Session session = model.newSession(100);
        Session stepped = model.newSession(100)) {
      session.append(3, 4);
      float[][] scores = session.score(5, 6, 7);
      assertEquals(5, session.length());
      stepped.append(3, 4, 5);
      assertArrayEquals(scores[0], stepped.logits(), 1e-4f);
      stepped.append(6, 7);
      assertArrayEquals(session.logits(), stepped.logits(), 1e-4f);
    }
  }

  @Test
  void aTokenThatDoesNotExistChangesNothing() {
    try (Session session = model.newSession(100)) {
      session.append(1, 2);
      var thrown = assertThrows(IllegalArgumentException.class, () -> session.append(3, 192, 4));
      assertEquals("token 192 at 1 is not in the vocabulary of 192", thrown.getMessage());
      assertArrayEquals(new int[] {1, 2}, session.tokens());
      assertThrows(IllegalArgumentException.class, () -> session.append(-1));
    }
  }

  @Test
  void aPromptThatDoesNotFitChangesNothing() {
    try (Session session = model.newSession(10)) {
      session.append(IntStream.range(0, 7).toArray());
      var thrown = assertThrows(IllegalArgumentException.class, () -> session.append(1, 2, 3, 4));
      assertEquals(
          "the session is at 7 tokens of at most 10; 4 more do not fit; open it with a larger"
              + " limit",
          thrown.getMessage());
      session.append(1, 2, 3);
      assertEquals(192, session.logits().length);
    }
  }

  @Test
  void aCancelledPromptLeavesTheSessionAsItWas() {
    try (Session session = model.newSession(100);
        Session undisturbed = model.newSession(100)) {
      session.append(9, 8, 7);
      session.logits();
      session.append(TEXT);
      var asked = new AtomicInteger();
      assertThrows(
          CancellationException.class, () -> session.logits(() -> asked.incrementAndGet() > 3));
      undisturbed.append(9, 8, 7);
      undisturbed.logits();
      undisturbed.append(TEXT);
      assertArrayEquals(undisturbed.logits(), session.logits());
    }
  }

  @Test
  void marksReturnTokensAndLogits() {
    try (Session session = model.newSession(100)) {
      session.append(TEXT);
      float[] logits = session.logits().clone();
      Session.SessionMark mark = session.mark();
      session.append(1, 2, 3);
      session.logits();
      mark.rewind();
      assertArrayEquals(TEXT, session.tokens());
      assertArrayEquals(logits, session.logits());
      session.append(1, 2, 3);
      float[] first = session.logits().clone();
      mark.rewind();
      session.append(1, 2, 3);
      assertArrayEquals(first, session.logits());
    }
  }

  @Test
  void forksShareThePastAndNothingElse() {
    try (Session session = model.newSession(100)) {
      session.append(TEXT);
      session.logits();
      try (Session fork = session.fork()) {
        fork.append(1);
        session.append(2);
        float[] forked = fork.logits().clone();
        float[] own = session.logits().clone();
        assertFalse(Arrays.equals(forked, own));
        assertEquals(51, fork.length());
      }
      assertEquals(192, session.logits().length, "closing a fork must not touch its parent");
    }
  }

  @Test
  void sessionsComputedTogetherGetTheBitsTheyGetAlone() {
    int[][] texts = {{1, 2, 3}, TEXT, {7}, TinyModels.tokens(33, 4)};
    List<Session> together = Arrays.stream(texts).map(text -> model.newSession(100)).toList();
    for (int i = 0; i < texts.length; i++) {
      together.get(i).append(texts[i]);
    }
    model.compute(together);
    for (int step = 0; step < 3; step++) {
      together.forEach(session -> session.append(5));
      model.compute(together);
    }
    for (int i = 0; i < texts.length; i++) {
      try (Session alone = model.newSession(100)) {
        alone.append(texts[i]);
        alone.logits();
        for (int step = 0; step < 3; step++) {
          alone.append(5);
          alone.logits();
        }
        assertArrayEquals(alone.logits(), together.get(i).logits(), "session " + i);
      }
      together.get(i).close();
    }
  }

  @Test
  void sessionsOnManyThreadsNeverDisturbEachOther() throws Exception {
    List<int[]> texts = IntStream.range(0, 8).mapToObj(i -> TinyModels.tokens(30, i)).toList();
    List<List<Integer>> alone = texts.stream().map(this::continued).toList();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Future<List<Integer>>> futures =
          texts.stream().map(text -> threads.submit(() -> continued(text))).toList();
      for (int i = 0; i < texts.size(); i++) {
        assertEquals(alone.get(i), futures.get(i).get(), "session " + i);
      }
    }
  }

  @Test
  void theBeginningIsAPlaceLikeAnyOther() {
    try (Session session = model.newSession(100)) {
      long empty = session.bytes();
      Session.SessionMark beginning = session.mark();
      assertEquals(empty, session.bytes(), "it takes no memory");
      session.append(TEXT);
      float[] logits = session.logits();
      long before = session.bytes();
      Session.SessionMark end = session.mark();
      for (int again = 0; again < 2; again++) {
        beginning.rewind();
        assertTrue(session.bytes() > before, "the mark of a recurrent state takes memory");
        assertEquals(0, session.length());
        session.append(5, 6, 7, 8, 9);
        session.logits();
        end.rewind();
        assertArrayEquals(logits, session.logits());
        beginning.rewind();
        session.append(TEXT);
        assertArrayEquals(logits, session.logits());
      }
      end.close();
    }
  }

  /** Forks share keys and values: each goes on, back and on again while others do. */
  @Test
  void forksOnManyThreadsNeverDisturbEachOther() throws Exception {
    try (Session parent = model.newSession(2000);
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      parent.append(TinyModels.tokens(300, 1));
      parent.logits();
      List<float[][]> alone =
          IntStream.range(0, 8).mapToObj(i -> branch(parent.fork(), i)).toList();
      for (int round = 0; round < 3; round++) {
        List<Session> forks = IntStream.range(0, 8).mapToObj(i -> parent.fork()).toList();
        List<Future<float[][]>> branches =
            IntStream.range(0, 8)
                .mapToObj(i -> threads.submit(() -> branch(forks.get(i), i)))
                .toList();
        for (int i = 0; i < 8; i++) {
          float[][] logits = branches.get(i).get();
          for (int j = 0; j < logits.length; j++) {
            assertArrayEquals(alone.get(i)[j], logits[j], "fork " + i + ", step " + j);
          }
        }
      }
    }
  }

  /** Takes a session on two ways from where it is, and then closes it. */
  private static float[][] branch(Session session, int seed) {
    float[][] logits = new float[24][];
    try (session;
        Session.SessionMark mark = session.mark()) {
      for (int i = 0; i < logits.length; i++) {
        session.append(TinyModels.tokens(1 + i % 3 * 20, 100 * seed + i));
        logits[i] = session.logits();
        if (i == 11) {
          mark.rewind();
        }
      }
    }
    return logits;
  }

  private List<Integer> continued(int[] text) {
    try (Session session = model.newSession(100)) {
      return session.start(text, Sampling.plain().withSeed(text[0]).withMaxTokens(20)).stream()
          .map(Token::id)
          .toList();
    }
  }

  @Test
  void twoThreadsInOneSessionAreFoundOut() throws Exception {
    try (Session session = model.newSession(100);
        ExecutorService other = Executors.newSingleThreadExecutor()) {
      session.append(TEXT);
      var inside = new CountDownLatch(1);
      var tried = new CountDownLatch(1);
      Future<?> computing =
          other.submit(
              () ->
                  session.logits(
                      () -> {
                        inside.countDown();
                        await(tried);
                        return false;
                      }));
      await(inside);
      var thrown = assertThrows(IllegalStateException.class, () -> session.append(1));
      assertEquals("the session is in use by another thread", thrown.getMessage());
      tried.countDown();
      computing.get();
      assertEquals(50, session.length());
    }
  }

  @Test
  void onlyAttentionMakesASessionGrow() {
    assertEquals(
        4L * 2 * (16 + 32),
        model.stateBytesPerToken(),
        "two key-value heads of 16 in one attention layer, values filled up to 32 lanes");
    try (Session session = model.newSession(400)) {
      session.append(TEXT);
      session.logits();
      long few = session.bytes();
      session.append(TinyModels.tokens(300, 2));
      session.logits();
      long grown = session.bytes() - few;
      assertTrue(grown >= 286 * 384 && grown <= 400 * 384, grown + " bytes for 300 tokens");
    }
  }

  @Test
  void aCancelledGenerationDoesNotCancelWhatComesAfter() {
    try (Session session = model.newSession(200)) {
      var generation = session.start(TEXT, Sampling.greedy());
      generation.next();
      generation.cancel();
      generation.close();
      session.append(1, 2, 3);
      model.compute(List.of(session));
      assertEquals(2, session.score(4, 5).length);
    }
  }

  /** A recurrence is cut where no cut shows, whoever is computed before it. */
  @Test
  void longTextsAreCutTheSameWayInAnyCompany() {
    int[] text = TinyModels.tokens(1100, 8);
    try (Session alone = model.newSession(1200);
        Session together = model.newSession(1200);
        Session neighbour = model.newSession(1200)) {
      neighbour.append(TinyModels.tokens(201, 3));
      together.append(text);
      alone.append(text);
      model.compute(List.of(neighbour, together));
      assertArrayEquals(alone.logits(), together.logits());
    }
  }

  @Test
  void longTextsAreComputedInPiecesWithTheSameLogits() {
    int[] text = TinyModels.tokens(1100, 8);
    var llama = TinyModels.architecture("llama");
    var options = ModelOptions.standard().withThreads(2);
    try (Model attention = Model.random(llama, 5, WeightFormat.F32, options);
        Session whole = attention.newSession(1200);
        Session scored = attention.newSession(1200);
        Session other = attention.newSession(1200)) {
      whole.append(text);
      other.append(Arrays.copyOf(text, 700));
      attention.compute(List.of(whole, other));
      float[][] scores = scored.score(text);
      assertArrayEquals(scores[1099], whole.logits());
      assertArrayEquals(scores[699], other.logits());
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
