package dev.apus.benchmarks.compare;

import java.util.ArrayList;
import java.util.List;

/**
 * What every engine is to do.
 *
 * @param prompt tokens to read at once; 0 leaves the test out
 * @param generate tokens to compute one at a time; 0 leaves the test out
 * @param depth tokens in the context before either test
 * @param repetitions how often a process runs each test
 */
record Tests(int prompt, int generate, int depth, int threads, int repetitions) {

  Tests {
    if (prompt < 0 || generate < 0 || depth < 0 || prompt + (long) generate == 0) {
      throw new IllegalArgumentException(
          "-p " + prompt + " -n " + generate + " -d " + depth + " measures nothing");
    }
    if (threads < 1 || repetitions < 1) {
      throw new IllegalArgumentException(
          "-t " + threads + " -r " + repetitions + "; needed: 1 of each at least");
    }
  }

  String promptName() {
    return "pp" + prompt + after();
  }

  String generationName() {
    return "tg" + generate + after();
  }

  private String after() {
    return depth == 0 ? "" : " @ d" + depth;
  }

  /** The settings that {@code apus bench} and {@code llama-bench} call by the same names. */
  List<String> options() {
    return List.of("-t", String.valueOf(threads), "-r", String.valueOf(repetitions), "-o", "json");
  }

  /** The lengths of both tests as options, likewise. */
  List<String> lengths() {
    return List.of("-p", String.valueOf(prompt), "-n", String.valueOf(generate));
  }

  /** The names of the tests, in the order of a report. */
  List<String> names() {
    List<String> names = new ArrayList<>();
    if (prompt > 0) {
      names.add(promptName());
    }
    if (generate > 0) {
      names.add(generationName());
    }
    return names;
  }
}
