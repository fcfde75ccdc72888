package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.norm.Norms;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Norms of one row, as a whole and head by head. */
public class NormsBenchmark extends KernelBenchmark {

  private static final float EPSILON = 1e-6f;

  @Param("4096")
  int width;

  @Param({"1", "32"})
  int groups;

  private Norms norms;
  private int size;
  private float[] x;
  private float[] weight;
  private float[] bias;
  private float[] y;

  public NormsBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    norms = kernels.norms();
    size = width / groups;
    x = values(width);
    weight = values(size);
    bias = values(size);
    y = new float[width];
  }

  @Override
  long touchedBytes() {
    return 8L * width + 8L * size;
  }

  @Benchmark
  public float[] rms(Shares shares) {
    norms.rms(x, 0, groups, size, weight, 0, EPSILON, y, 0);
    count(shares, 12.0 * width, 2.0 * width);
    return y;
  }

  @Benchmark
  public float[] layer(Shares shares) {
    norms.layer(x, 0, groups, size, weight, bias, 0, EPSILON, y, 0);
    count(shares, 16.0 * width, 4.0 * width);
    return y;
  }

  @Benchmark
  public float[] l2(Shares shares) {
    norms.l2(x, 0, groups, size, 1, EPSILON, y, 0);
    count(shares, 8.0 * width, 2.0 * width);
    return y;
  }
}
