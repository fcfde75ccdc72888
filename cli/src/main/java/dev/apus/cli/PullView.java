package dev.apus.cli;

import dev.apus.core.hub.PullListener;
import java.io.PrintWriter;
import java.util.Locale;

/** Shows how a pull goes: as a bar on terminals, as lines elsewhere. */
final class PullView implements PullListener, AutoCloseable {

  private final Apus apus;
  private final PrintWriter err;
  private Progress progress;

  PullView(Apus apus, PrintWriter err) {
    this.apus = apus;
    this.err = err;
  }

  @Override
  public void begins(int files, long bytes, long present) {
    if (bytes == present) {
      return;
    }
    apus.note(
        err,
        String.format(
            Locale.ROOT,
            "%d files, %s%s",
            files,
            Units.bytes(bytes),
            present == 0 ? "" : ", of which " + Units.bytes(present) + " are here"));
    progress = Progress.bytes(apus, err, bytes, present);
  }

  @Override
  public void received(long bytes) {
    if (progress != null) {
      progress.step(bytes);
    }
  }

  @Override
  public void tellsTrouble(String sentence) {
    apus.note(err, Progress.isShown(apus) ? "\r" + sentence : sentence);
  }

  @Override
  public void close() {
    if (progress != null) {
      progress.close();
    }
  }
}
