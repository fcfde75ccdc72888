package dev.apus.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;

/**
 * The benchmark of a kernel: how often it runs in a second on one thread, and how near it comes to
 * the {@link Ceilings} of the same JVM, of which each call says what it took.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public abstract class KernelBenchmark extends SeededBenchmark {

  /** What is smaller lies in the same cache, and a loop through it is too short to be measured. */
  private static final long LEAST_BYTES = 1 << 13;

  @Param("500")
  int ceilingMillis;

  private Ceilings ceilings;

  KernelBenchmark() {}

  @Override
  final void prepared() {
    ceilings = measureCeilings();
  }

  /** What a trial is compared with; the bandwidth is that of memory that a call takes. */
  Ceilings measureCeilings() {
    return Ceilings.ofCache(Math.max(LEAST_BYTES, touchedBytes()), ceilingMillis);
  }

  /** Bytes that a call reads or writes, the same ones once. */
  abstract long touchedBytes();

  /**
   * Counts what one call took of the ceilings.
   *
   * @param bytes read and bytes written
   * @param multiplyAdds each of which is two operations
   */
  final void count(Shares shares, double bytes, double multiplyAdds) {
    shares.ofBandwidth += bytes / ceilings.bytesPerSecond();
    shares.ofFlops += 2 * multiplyAdds / ceilings.flopsPerSecond();
  }
}
