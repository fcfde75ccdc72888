package dev.apus.benchmarks.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What measures.
 *
 * @param processor its maker's name for it, or the kind of instructions where that is unknown
 * @param processors how many of them the JVM may use
 * @param jdk the JVM's name and version
 */
public record Machine(String processor, int processors, String jdk, String system) {

  public static Machine here() {
    return new Machine(
        lines(Path.of("/proc/cpuinfo"))
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse(System.getProperty("os.arch")),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.vendor") + " " + Runtime.version(),
        String.join(
            " ",
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            System.getProperty("os.arch")));
  }

  /** The most memory that a process had at once, in bytes; 0 where the system does not say. */
  public static long peakBytes(ProcessHandle process) {
    return lines(Path.of("/proc/" + process.pid() + "/status"))
        .filter(line -> line.startsWith("VmHWM:"))
        .map(line -> line.replaceAll("\\D", ""))
        .mapToLong(kilobytes -> Long.parseLong(kilobytes) << 10)
        .findFirst()
        .orElse(0);
  }

  /** A file of the system, or nothing where there is none or its process has ended. */
  private static Stream<String> lines(Path file) {
    try {
      return Files.readAllLines(file).stream();
    } catch (IOException e) {
      return List.<String>of().stream();
    }
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "%s, %d processors, %s, %s", processor, processors, system, jdk);
  }
}
