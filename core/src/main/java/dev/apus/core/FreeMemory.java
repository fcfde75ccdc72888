package dev.apus.core;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** How much memory a process can still take. */
final class FreeMemory {

  private static final Path LINUX = Path.of("/proc/meminfo");
  private static final String AVAILABLE = "MemAvailable:";

  private FreeMemory() {}

  /**
   * Bytes that are free, or become free when they are needed; within a container, no more than its
   * limit leaves.
   */
  static long bytes() {
    if (!(ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system)) {
      return Long.MAX_VALUE;
    }
    long free = system.getFreeMemorySize();
    try {
      return Files.isReadable(LINUX)
          ? Math.min(system.getTotalMemorySize(), available(Files.readAllLines(LINUX), free))
          : free;
    } catch (IOException e) {
      return free;
    }
  }

  /** What Linux counts as free includes what it keeps of files that nobody needs. */
  static long available(List<String> lines, long otherwise) {
    return lines.stream()
        .filter(line -> line.startsWith(AVAILABLE) && line.matches("\\w+:\\s+\\d+ kB"))
        .map(line -> line.replaceAll("\\D+", ""))
        .mapToLong(kib -> 1024 * Long.parseLong(kib))
        .findFirst()
        .orElse(otherwise);
  }
}
