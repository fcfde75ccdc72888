package dev.apus.cli;

import dev.apus.core.hub.PullListener;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows how a pull goes: as a bar on terminals, as lines elsewhere. */
final class PullView implements PullListener, AutoCloseable {

  private static final int WIDTH = 100;

  private final Apus apus;
  private final PrintWriter err;
  private final boolean drawn;
  private ProgressBar bar;

  private PullView(Apus apus, PrintWriter err, boolean drawn) {
    this.apus = apus;
    this.err = err;
    this.drawn = drawn;
  }

  static PullView of(Apus apus, PrintWriter err) {
    boolean terminal = System.console() != null && System.console().isTerminal();
    return new PullView(apus, err, terminal && !apus.isQuiet());
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
    if (drawn) {
      bar =
          new ProgressBarBuilder()
              .setTaskName("")
              .setInitialMax(bytes)
              .startsFrom(present, Duration.ZERO)
              .setUnit("MB", 1_000_000)
              .showSpeed()
              .setStyle(ProgressBarStyle.ASCII)
              .setConsumer(new InPlace(err))
              .build();
    }
  }

  @Override
  public void received(long bytes) {
    if (bar != null) {
      bar.stepBy(bytes);
    }
  }

  @Override
  public void tellsTrouble(String sentence) {
    apus.note(err, drawn ? "\r" + sentence : sentence);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }

  /** One line of the error stream, written over again and again. */
  record InPlace(PrintWriter err) implements ProgressBarConsumer {

    @Override
    public int getMaxRenderedLength() {
      return WIDTH;
    }

    @Override
    public void accept(String rendered) {
      err.print("\r" + rendered);
      err.flush();
    }

    @Override
    public void close() {
      err.println();
    }
  }
}
