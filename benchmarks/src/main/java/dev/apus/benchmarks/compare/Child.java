package dev.apus.benchmarks.compare;

import dev.apus.benchmarks.report.Machine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A process that has ended well.
 *
 * @param out what it printed
 * @param err what it complained of
 * @param peakBytes the most memory that it had, its own children included; 0 if unknown
 */
record Child(String out, String err, long peakBytes) {

  private static final Duration LIMIT = Duration.ofMinutes(30);
  private static final int LAST_LINES = 4;
  private static final int LONGEST_LINE = 160;

  /**
   * Runs a command, which has nothing to read, to its end.
   *
   * @throws IOException if it cannot be started, fails, or takes longer than half an hour
   */
  static Child run(List<String> command) throws IOException, InterruptedException {
    Path out = Files.createTempFile("compare", ".out");
    Path err = Files.createTempFile("compare", ".err");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      process.getOutputStream().close();
      long peak = await(process);
      Child child = new Child(read(out), read(err), peak);
      if (process.exitValue() != 0) {
        throw new IOException("exit code " + process.exitValue() + ": " + child.lastLines());
      }
      return child;
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  /** Waits and watches the memory, which nobody can be asked for once the process has ended. */
  private static long await(Process process) throws IOException, InterruptedException {
    Thread ending = new Thread(() -> end(process));
    Runtime.getRuntime().addShutdownHook(ending);
    try {
      long peak = 0;
      long start = System.nanoTime();
      while (!process.waitFor(20, TimeUnit.MILLISECONDS)) {
        peak = Math.max(peak, family(process).mapToLong(Machine::peakBytes).sum());
        if (System.nanoTime() - start > LIMIT.toNanos()) {
          throw new IOException("took longer than " + LIMIT.toMinutes() + " minutes");
        }
      }
      return peak;
    } finally {
      end(process);
      Runtime.getRuntime().removeShutdownHook(ending);
    }
  }

  private static Stream<ProcessHandle> family(Process process) {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants());
  }

  private static void end(Process process) {
    family(process).toList().forEach(ProcessHandle::destroyForcibly);
  }

  private static String read(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }

  /**
   * The last lines of what it complained of, or else of what it printed, without the lines that say
   * where in a program an exception came from.
   */
  String lastLines() {
    List<String> lines =
        (err.isBlank() ? out : err)
            .lines()
            .filter(line -> !line.isBlank() && !line.matches("\\s+at .*"))
            .toList();
    return lines.stream()
        .skip(Math.max(0, lines.size() - LAST_LINES))
        .map(String::strip)
        .map(line -> line.length() <= LONGEST_LINE ? line : line.substring(0, LONGEST_LINE) + "…")
        .collect(Collectors.joining(" / "));
  }
}
