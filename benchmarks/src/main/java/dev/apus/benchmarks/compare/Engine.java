package dev.apus.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** An engine that is installed on this machine and can be measured in a process of its own. */
interface Engine {

  /**
   * What one process measured.
   *
   * @param version of the engine, and what it computes with
   * @param tokensPerSecond of each test, by its name; the median of the process' repetitions
   * @param peakBytes of memory, 0 if unknown
   * @param remark how its tests differ from those of the others, or an empty string
   */
  record Measured(
      String version, Map<String, Double> tokensPerSecond, long peakBytes, String remark) {}

  /** What a report calls it. */
  String name();

  /** Why it cannot be measured here at all, or null if it can be tried. */
  String obstacle();

  /**
   * Runs the tests on a model in a new process.
   *
   * @throws IOException saying what went wrong, with the engine's last words
   */
  Measured measure(Path model, Tests tests) throws IOException, InterruptedException;

  /** The middle value; the mean of the two middle ones of an even number. */
  static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
