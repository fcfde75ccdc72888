package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.generate.GenerationException;
import dev.apus.kernels.block.WeightFormat;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What happens to whoever computes while a model is closed. */
class ClosingTest {

  private static final int[] TEXT = TinyModels.tokens(50, 1);

  private static Model newModel() {
    return Model.random(
        TinyModels.architecture("qwen3_next"),
        5,
        WeightFormat.BF16,
        ModelOptions.standard().withThreads(2));
  }

  @Test
  void closingTheModelEndsWhatComputes() throws Exception {
    Model model = newModel();
    Session session = model.newSession(100);
    session.append(TEXT);
    var inside = new CountDownLatch(1);
    var shut = new CountDownLatch(1);
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      Future<?> computing =
          other.submit(
              () ->
                  session.logits(
                      () -> {
                        inside.countDown();
                        await(shut);
                        return false;
                      }));
      await(inside);
      model.close();
      shut.countDown();
      var thrown = assertThrows(ExecutionException.class, computing::get);
      assertTrue(thrown.getCause() instanceof GenerationException, () -> "" + thrown.getCause());
      assertTrue(thrown.getCause().getMessage().contains("closed"));
    }
    session.close();
    session.close();
    assertThrows(IllegalStateException.class, () -> session.append(1));
    assertThrows(IllegalStateException.class, () -> model.newSession(10));
  }

  /** Whoever computes while the model is closed gets an exception, and no wish to stop. */
  @Test
  void closingTheModelInterruptsNobody() throws Exception {
    for (int round = 0; round < 10; round++) {
      Model closing = newModel();
      try (Session computing = closing.newSession(1 << 20)) {
        var inside = new CountDownLatch(1);
        var ended = new AtomicReference<String>();
        Thread other =
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        while (true) {
                          computing.append(TEXT);
                          computing.logits();
                          inside.countDown();
                        }
                      } catch (GenerationException | IllegalStateException e) {
                        boolean interrupted = Thread.currentThread().isInterrupted();
                        ended.set(e.getMessage() + (interrupted ? ", interrupted" : ""));
                      }
                    });
        await(inside);
        closing.close();
        other.join();
        assertTrue(ended.get().endsWith("closed") || ended.get().endsWith("computed"), ended.get());
      }
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
