package dev.apus.models;

import static dev.apus.models.BatcherTest.LIMIT;
import static dev.apus.models.BatcherTest.alone;
import static dev.apus.models.BatcherTest.ids;
import static dev.apus.models.BatcherTest.model;
import static dev.apus.models.BatcherTest.prompt;
import static dev.apus.models.BatcherTest.sampling;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.BatchLimits;
import dev.apus.core.Batcher;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Reply;
import dev.apus.core.Session;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.LogitsProcessor;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Token;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Mixers;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What goes wrong with one text stays with it. */
class BatcherFaultsTest {

  /** More tokens than any machine computes before a test goes on. */
  private static final int LONG = 1 << 17;

  private final Model model = model("qwen3_next", ModelOptions.standard());

  @AfterEach
  void close() {
    model.close();
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

  /** A layer that fails for texts of more than 40 tokens fails for these alone. */
  @Test
  void aPassThatFailsIsTheFaultOfWhoFailsAlone() {
    var mixers = Mixers.of(List.of(new Brittle(attention(), 40)), List.of());
    ModelOptions options = ModelOptions.standard();
    ModelOptions brittle = options.withThreads(2).withMixers(mixers);
    try (Model good = model("llama", options);
        Model failing = model("llama", brittle);
        Batcher batcher = new Batcher(failing);
        Session session = failing.newSession(LIMIT)) {
      List<Reply> replies = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        replies.add(
            batcher.submit(new int[] {i, 2, 3}, Sampling.plain().withMaxTokens(8 + 12 * i), LIMIT));
      }
      Reply prompt = batcher.submit(session, TinyModels.tokens(41, 1), Sampling.greedy());
      var thrown = assertThrows(GenerationException.class, prompt::join);
      assertTrue(thrown.getMessage().contains("too long for this layer"), thrown.getMessage());
      assertEquals(0, session.length());
      for (int i = 0; i < 6; i++) {
        Reply reply = replies.get(i);
        if (3 + 8 + 12 * i <= 41) {
          try (Session alone = good.newSession(LIMIT)) {
            assertEquals(
                alone
                    .start(new int[] {i, 2, 3}, Sampling.plain().withMaxTokens(8 + 12 * i))
                    .stream()
                    .map(Token::id)
                    .toList(),
                ids(reply));
          }
        } else {
          for (int token = 0; token < 38; token++) {
            reply.next();
          }
          assertThrows(GenerationException.class, reply::hasNext);
        }
      }
      assertEquals(
          1,
          batcher
              .submit(session, new int[] {1}, Sampling.greedy().withMaxTokens(1))
              .join()
              .tokens()
              .size());
    }
  }

  private static MixerType attention() {
    return ServiceLoader.load(MixerType.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(type -> type.name().equals("attention"))
        .findFirst()
        .orElseThrow();
  }

  /** A mixer that fails where a sequence is longer than some length. */
  private record Brittle(MixerType type, int length) implements MixerType {

    @Override
    public String name() {
      return type.name();
    }

    @Override
    @SuppressWarnings("unchecked")
    public SequenceMixer<?> build(Config settings, Site site) {
      var mixer = (SequenceMixer<MixerState>) type.build(settings, site);
      return new SequenceMixer<MixerState>() {
        @Override
        public MixerState newState(int limit) {
          return mixer.newState(limit);
        }

        @Override
        public void forward(Pass pass, Batch<MixerState> batch, Matrix x, Matrix y) {
          mixer.forward(pass, batch, x, y);
          for (Run<MixerState> run : batch.runs()) {
            if (run.position() + run.length() > length) {
              throw new IllegalStateException("too long for this layer");
            }
          }
        }

        @Override
        public long bytesPerToken() {
          return mixer.bytesPerToken();
        }
      };
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
              .mapToObj(
                  i -> batcher.submit(prompt(i), Sampling.plain().withMaxTokens(LONG), 2 * LONG))
              .toList();
      replies.forEach(Reply::next);
      closing.close();
      for (Reply reply : replies) {
        var thrown = assertThrows(GenerationException.class, reply::join);
        assertTrue(thrown.getMessage().contains("closed"), thrown.getMessage());
      }
    }
  }
}
