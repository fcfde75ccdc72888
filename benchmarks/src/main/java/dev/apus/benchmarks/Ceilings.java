package dev.apus.benchmarks;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.apus.core.compute.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.DoubleSupplier;

/**
 * What a team of threads can do at most on this machine: read memory, and multiply and add floats.
 * Plain loops that C2 turns into vector code; measured in the JVM whose kernels are measured
 * against it, or between the processes that are, because both vary from process to process. It has
 * to be a young JVM: in one that had measured for some seconds already, the loop of multiply-adds
 * was often seen at half its speed.
 *
 * @param threads that work at once
 * @param bytesPerSecond read from memory; the better of one long stream and four for each thread,
 *     because processors differ in which they are faster at; or read from and written to a cache
 * @param flopsPerSecond of fused multiply-adds on values in registers, each counted as two
 */
public record Ceilings(int threads, double bytesPerSecond, double flopsPerSecond) {

  /** What one thread reads in one loop, whose index is an int. */
  private static final long MOST_WORDS = Integer.MAX_VALUE;

  private static final int FMAS = 16;

  /** The floats that one thread multiplies: they stay in its first cache. */
  private static final int FLOATS = 4096;

  /** How often it goes through them in one run, which so takes far longer than waking a thread. */
  private static final int ROUNDS = 1024;

  /**
   * Measures and prints the two numbers.
   *
   * @param arguments threads, bytes of memory to read, and milliseconds
   */
  public static void main(String[] arguments) {
    if (!String.join(" ", arguments).matches("[1-9]\\d{0,3} [1-9]\\d{0,11} [1-9]\\d{0,5}")) {
      System.err.println(
          "found the arguments "
              + Arrays.toString(arguments)
              + "; needed: threads, bytes of memory to read, and milliseconds, such as"
              + " 2 1073741824 700");
      System.exit(2);
    }
    Ceilings measured =
        measure(
            Integer.parseInt(arguments[0]),
            Long.parseLong(arguments[1]),
            Long.parseLong(arguments[2]));
    System.out.println(measured.bytesPerSecond + " " + measured.flopsPerSecond);
  }

  /**
   * Measures both on memory of its own.
   *
   * @param bytes of memory to read; several times what the caches hold
   */
  static Ceilings measure(int threads, long bytes, long millis) {
    try (Arena arena = Arena.ofShared();
        Workers team = Workers.of(threads)) {
      MemorySegment memory = arena.allocate(bytes, 64);
      memory.fill((byte) 1);
      return measure(team, memory, millis);
    }
  }

  /** Measures both, each for the given time after as long a warm-up. */
  static Ceilings measure(Workers team, MemorySegment memory, long millis) {
    int threads = team.threads();
    long[] sums = new long[threads];
    long part = Math.min(memory.byteSize() / threads, MOST_WORDS * Long.BYTES) / 64 * 64;
    double oneStream =
        best(
            millis,
            () -> {
              team.run(threads, (i, worker) -> sums[i] += read(memory.asSlice(i * part, part)));
              return (double) threads * part;
            });
    double fourStreams =
        best(
            millis,
            () -> {
              team.run(threads, (i, worker) -> sums[i] += readFour(memory.asSlice(i * part, part)));
              return (double) threads * part;
            });
    return new Ceilings(threads, Math.max(oneStream, fourStreams), flops(team, millis));
  }

  private static double flops(Workers team, long millis) {
    int threads = team.threads();
    float[][] values = new float[threads][FLOATS];
    return best(
        millis,
        () -> {
          team.run(threads, (i, worker) -> multiplyAdd(values[i]));
          return 2.0 * FMAS * FLOATS * ROUNDS * threads;
        });
  }

  /**
   * Measures one thread on memory that stays in the cache that holds so much: a loop reads two
   * values and writes one of them.
   */
  static Ceilings ofCache(long bytes, long millis) {
    int floats = Math.toIntExact(Math.max(1, bytes / (2 * Float.BYTES)));
    float[] x = new float[floats];
    float[] y = new float[floats];
    int times = Math.ceilDiv(FLOATS * ROUNDS, floats);
    double through =
        best(
            millis,
            () -> {
              for (int i = 0; i < times; i++) {
                addHalf(x, y);
              }
              return 3.0 * Float.BYTES * floats * times;
            });
    try (Workers alone = Workers.of(1)) {
      return new Ceilings(1, through, flops(alone, millis));
    }
  }

  private static void addHalf(float[] x, float[] y) {
    for (int i = 0; i < x.length; i++) {
      y[i] = Math.fma(x[i], 0.5f, y[i]);
    }
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

  private static long read(MemorySegment memory) {
    int words = (int) (memory.byteSize() / Long.BYTES);
    long sum = 0;
    for (int i = 0; i < words; i++) {
      sum += memory.getAtIndex(JAVA_LONG, i);
    }
    return sum;
  }

  private static long readFour(MemorySegment memory) {
    int words = (int) (memory.byteSize() / Long.BYTES) / 4;
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
    return a + b + c + d;
  }

  private static void multiplyAdd(float[] values) {
    for (int round = 0; round < ROUNDS; round++) {
      multiplyAddOnce(values);
    }
  }

  private static void multiplyAddOnce(float[] values) {
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
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%d threads: %.1f GB/s read, %.0f GFLOP/s of fused multiply-adds",
        threads,
        bytesPerSecond / 1e9,
        flopsPerSecond / 1e9);
  }
}
