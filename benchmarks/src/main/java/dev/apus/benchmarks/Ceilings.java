package dev.apus.benchmarks;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.function.DoubleSupplier;
import org.openjdk.jmh.infra.Blackhole;

/**
 * What one thread of this machine can do at most: read memory, and multiply and add floats. Plain
 * loops that C2 turns into vector code; measured in the JVM whose kernels are measured against it,
 * because both vary from process to process.
 *
 * @param bytesPerSecond read from memory in four long streams
 * @param flopsPerSecond of fused multiply-adds on values in registers, each counted as two
 */
record Ceilings(double bytesPerSecond, double flopsPerSecond) {

  private static final int FMAS = 16;

  /** Measures both, each for the given time after as long a warm-up. */
  static Ceilings measure(MemorySegment memory, long millis, Blackhole sink) {
    float[] values = new float[4096];
    return new Ceilings(
        best(millis, () -> read(memory, sink)), best(millis, () -> multiplyAdd(values, sink)));
  }

  /** The best rate of many short runs, each of which says how much it did. */
  private static double best(long millis, DoubleSupplier work) {
    bestOfPass(millis, work);
    return bestOfPass(millis, work);
  }

  private static double bestOfPass(long millis, DoubleSupplier work) {
    double best = 0;
    long end = System.nanoTime() + millis * 1_000_000;
    do {
      long start = System.nanoTime();
      double done = work.getAsDouble();
      best = Math.max(best, done * 1e9 / (System.nanoTime() - start));
    } while (System.nanoTime() < end);
    return best;
  }

  private static double read(MemorySegment memory, Blackhole sink) {
    int words = (int) Math.min(memory.byteSize() / Long.BYTES, Integer.MAX_VALUE) / 4;
    long a = 0;
    long b = 0;
    long c = 0;
    long d = 0;
    for (int i = 0; i < words; i++) {
      a += memory.getAtIndex(JAVA_LONG, i);
      b += memory.getAtIndex(JAVA_LONG, i + (long) words);
      c += memory.getAtIndex(JAVA_LONG, i + 2L * words);
      d += memory.getAtIndex(JAVA_LONG, i + 3L * words);
    }
    sink.consume(a + b + c + d);
    return 4.0 * words * Long.BYTES;
  }

  private static double multiplyAdd(float[] values, Blackhole sink) {
    for (int i = 0; i < values.length; i++) {
      float x = values[i];
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      x = Math.fma(x, 0.5f, 1);
      values[i] = x;
    }
    sink.consume(values);
    return 2.0 * FMAS * values.length;
  }
}
