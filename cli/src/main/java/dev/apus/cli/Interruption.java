package dev.apus.cli;

import dev.apus.core.Session;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Lets an interrupt from the keyboard end a generation before it ends the process. */
final class Interruption {

  /** A token of a large model takes no longer; then the process ends all the same. */
  private static final int PATIENCE_SECONDS = 10;

  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook;

  private Interruption(Runnable cancel) {
    hook = new Thread(() -> interrupt(cancel), "interruption");
  }

  /** Does some work; if the process is to end meanwhile, the session's generation ends first. */
  static void during(Session session, Runnable work) {
    during(session::cancel, work);
  }

  /** The same for what is cancelled in another way. */
  static void during(Runnable cancel, Runnable work) {
    Interruption interruption = new Interruption(cancel);
    Runtime.getRuntime().addShutdownHook(interruption.hook);
    try {
      work.run();
    } finally {
      interruption.finish();
    }
  }

  private void interrupt(Runnable cancel) {
    cancel.run();
    try {
      finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void finish() {
    finished.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending, and the hook was waiting for this.
    }
  }
}
