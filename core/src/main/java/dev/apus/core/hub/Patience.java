package dev.apus.core.hub;

import java.io.IOException;
import java.time.Duration;
import java.util.function.LongSupplier;

/** Tries again what may work next time, at growing distances, as long as it gets on. */
final class Patience {

  /** Tries without any progress. */
  private static final int MOST_TRIES = 6;

  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(2);

  private final Duration pause;
  private final PullListener listener;

  Patience(Duration pause, PullListener listener) {
    this.pause = pause;
    this.listener = listener;
  }

  /** What may fail. */
  interface Try<T> {
    T run() throws IOException, InterruptedException;
  }

  /**
   * Tries until it works.
   *
   * @param what for messages
   * @param progress tells more each time that a failed try was not for nothing
   * @throws IOException what went wrong the last time
   */
  <T> T keepTrying(String what, LongSupplier progress, Try<T> work)
      throws IOException, InterruptedException {
    long before = progress.getAsLong();
    for (int tries = 1; ; tries++) {
      try {
        return work.run();
      } catch (IOException e) {
        long now = progress.getAsLong();
        tries = now > before ? 1 : tries;
        before = Math.max(before, now);
        if (tries == MOST_TRIES || !mayPass(e)) {
          throw e;
        }
        Duration next = next(tries, e);
        listener.tellsTrouble(
            what + ": " + reason(e) + "; goes on in " + next.toMillis() / 1000.0 + " s");
        Thread.sleep(next);
      }
    }
  }

  private static boolean mayPass(IOException e) {
    return !(e instanceof StatusException status) || status.isPassing();
  }

  private Duration next(int tries, IOException e) {
    Duration growing = pause.multipliedBy(1L << (tries - 1));
    Duration asked = e instanceof StatusException status ? status.delay() : Duration.ZERO;
    Duration longer = growing.compareTo(asked) > 0 ? growing : asked;
    return longer.compareTo(LONGEST_PAUSE) < 0 ? longer : LONGEST_PAUSE;
  }

  static String reason(IOException e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
