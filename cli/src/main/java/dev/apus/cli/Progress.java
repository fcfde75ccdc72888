package dev.apus.cli;

import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows on terminals how far a long work is, and nothing elsewhere. */
final class Progress implements AutoCloseable {

  private static final int WIDTH = 100;

  private final ProgressBar bar;

  private Progress(ProgressBar bar) {
    this.bar = bar;
  }

  /** Whether there would be anything to see. */
  static boolean isShown(Apus apus) {
    return Console.isTerminal() && !apus.isQuiet();
  }

  /** Of bytes that are dealt with. */
  static Progress bytes(Apus apus, PrintWriter err, long all) {
    return bytes(apus, err, all, 0);
  }

  /** Of bytes, of which some were dealt with before. */
  static Progress bytes(Apus apus, PrintWriter err, long all, long before) {
    return of(apus, err, all, before, "MB", 1_000_000);
  }

  /** Of things of a kind that are dealt with. */
  static Progress of(Apus apus, PrintWriter err, long all, String unit, long size) {
    return of(apus, err, all, 0, unit, size);
  }

  private static Progress of(
      Apus apus, PrintWriter err, long all, long before, String unit, long size) {
    if (!isShown(apus)) {
      return new Progress(null);
    }
    return new Progress(
        new ProgressBarBuilder()
            .setTaskName("")
            .setInitialMax(all)
            .startsFrom(before, Duration.ZERO)
            .setUnit(unit, size)
            .showSpeed()
            .setStyle(ProgressBarStyle.ASCII)
            .setConsumer(new InPlace(err))
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

  /** One line of the error stream, written over again and again. */
  private record InPlace(PrintWriter err) implements ProgressBarConsumer {

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
