package dev.apus.core.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the system can do to a team's threads. */
@Timeout(60)
class WorkersFaultsTest {

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4})
  void whenAThreadCannotStartThoseBeforeItEnd(int failing) throws InterruptedException {
    List<Thread> started = new ArrayList<>();
    var fault = new OutOfMemoryError("unable to create native thread");
    var thrown =
        assertThrows(
            OutOfMemoryError.class,
            () ->
                Workers.of(
                    6,
                    thread -> {
                      if (started.size() == failing) {
                        throw fault;
                      }
                      thread.start();
                      started.add(thread);
                    }));
    assertSame(fault, thrown);
    assertEquals(failing, started.size());
    for (Thread thread : started) {
      thread.join();
    }
  }

  /** A thread that still counts as interrupted would never wait again. */
  @Test
  void anInterruptedThreadGoesBackToWaiting() {
    List<Thread> helpers = new ArrayList<>();
    try (Workers workers =
        Workers.of(
            2,
            thread -> {
              thread.start();
              helpers.add(thread);
            })) {
      Thread helper = helpers.getFirst();
      awaitParked(helper);
      helper.interrupt();
      while (helper.isInterrupted()) {
        Thread.onSpinWait();
      }
      awaitParked(helper);
      assertFalse(helper.isInterrupted());
      int[] runs = new int[9];
      workers.run(9, (part, worker) -> runs[part]++);
      for (int part = 0; part < 9; part++) {
        assertEquals(1, runs[part], "part " + part);
      }
    }
  }

  private static void awaitParked(Thread thread) {
    while (thread.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
  }
}
