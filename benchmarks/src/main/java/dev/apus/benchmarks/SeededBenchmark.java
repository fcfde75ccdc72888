package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What benchmarks share: the choice of the kernels' form, seeded inputs, native memory. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public abstract class SeededBenchmark {

  @Param({"scalar", "vector"})
  String kernels;

  private final SplittableRandom random = new SplittableRandom(1);
  private Arena arena;

  SeededBenchmark() {}

  @Setup(Level.Trial)
  public final void openMemory() {
    arena = Arena.ofShared();
    prepare(
        switch (kernels) {
          case "scalar" -> Kernels.scalar();
          case "vector" -> Kernels.vector();
          default ->
              throw new IllegalArgumentException(
                  "kernels=" + kernels + " is neither scalar nor vector");
        });
    prepared();
  }

  @TearDown(Level.Trial)
  public final void closeMemory() {
    arena.close();
  }

  /** Makes the inputs of a trial. */
  abstract void prepare(Kernels kernels);

  /** Comes after the inputs of a trial are made. */
  void prepared() {}

  /** Values in [−1, 1). */
  final float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    return values;
  }

  /** Values in [low, 1). */
  final float[] factors(int count, double low) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(low, 1);
    }
    return values;
  }

  /** Zeroed native memory. */
  final MemorySegment memory(long bytes) {
    return arena.allocate(bytes, 64);
  }

  /** Native memory whose bytes are moderate numbers in every weight format. */
  final MemorySegment weights(long bytes) {
    MemorySegment weights = memory(bytes);
    for (long at = 0; at < bytes; at++) {
      weights.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt(0x38, 0x40));
    }
    return weights;
  }
}
