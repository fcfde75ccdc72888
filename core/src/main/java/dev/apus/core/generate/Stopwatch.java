package dev.apus.core.generate;

import java.util.function.LongSupplier;

/** Adds up the time of a generation's steps: the first one is the prompt's. */
final class Stopwatch {

  private final LongSupplier nanos;
  private long started;
  private long promptNanos;
  private long generationNanos;

  Stopwatch(LongSupplier nanos) {
    this.nanos = nanos;
  }

  void start() {
    started = nanos.getAsLong();
  }

  /** Ends a step after which there are {@code generatedTokens}. */
  void stop(int generatedTokens) {
    long elapsed = nanos.getAsLong() - started;
    if (generatedTokens <= 1) {
      promptNanos += elapsed;
    } else {
      generationNanos += elapsed;
    }
  }

  long promptNanos() {
    return promptNanos;
  }

  long generationNanos() {
    return generationNanos;
  }
}
