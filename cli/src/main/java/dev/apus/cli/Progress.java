package dev.apus.cli;

import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows on terminals how far a long work is, and nothing elsewhere. */
final class Progress implements AutoCloseable {

  private final ProgressBar bar;

  private Progress(ProgressBar bar) {
    this.bar = bar;
  }

  /** Of bytes that are dealt with. */
  static Progress bytes(Apus apus, PrintWriter err, long all) {
    return of(apus, err, all, "MB", 1_000_000);
  }

  /** Of things of a kind that are dealt with. */
  static Progress of(Apus apus, PrintWriter err, long all, String unit, long size) {
    boolean terminal = System.console() != null && System.console().isTerminal();
    if (!terminal || apus.isQuiet()) {
      return new Progress(null);
    }
    return new Progress(
        new ProgressBarBuilder()
            .setTaskName("")
            .setInitialMax(all)
            .setUnit(unit, size)
            .showSpeed()
            .setStyle(ProgressBarStyle.ASCII)
            .setConsumer(new PullView.InPlace(err))
            .build());
  }

  void step(long count) {
    if (bar != null) {
      bar.stepBy(count);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
