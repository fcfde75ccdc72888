package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.solve.ConjugateGradients;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** One token's system of equations, as MesaNet solves it for each head. */
public class ConjugateGradientsBenchmark extends KernelBenchmark {

  @Param("128")
  int headDim;

  @Param("30")
  int steps;

  private ConjugateGradients solver;
  private MemorySegment memory;
  private float[] ridge;
  private float[] b;
  private float[] x;
  private float[] scratch;

  public ConjugateGradientsBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    solver = kernels.solver();
    memory = memory(4L * headDim * headDim);
    float[] keys = values(headDim * headDim);
    // The sum of k ⊗ k is symmetric and has no negative eigenvalue.
    for (int i = 0; i < headDim; i++) {
      for (int j = 0; j < headDim; j++) {
        float sum = 0;
        for (int key = 0; key < headDim; key++) {
          sum += keys[key * headDim + i] * keys[key * headDim + j];
        }
        memory.setAtIndex(ValueLayout.JAVA_FLOAT, (long) i * headDim + j, sum / headDim);
      }
    }
    ridge = new float[headDim];
    Arrays.fill(ridge, 0.25f);
    b = values(headDim);
    x = new float[headDim];
    scratch = new float[solver.scratchFloats(headDim)];
  }

  @Override
  long touchedBytes() {
    return 4L * headDim * headDim;
  }

  @Benchmark
  public float[] solve(Shares shares) {
    solver.solve(headDim, steps, memory, 0, ridge, 0, b, 0, x, 0, scratch);
    count(shares, (double) steps * touchedBytes(), (double) steps * headDim * (headDim + 6));
    return x;
  }
}
