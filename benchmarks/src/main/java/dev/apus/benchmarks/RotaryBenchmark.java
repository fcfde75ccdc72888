package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.rope.Rotary;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The rotation of all heads of one token. */
public class RotaryBenchmark extends KernelBenchmark {

  @Param Rotary.Layout layout;

  @Param("32")
  int heads;

  @Param("128")
  int headDim;

  private Rotary rotary;
  private float[] x;
  private float[] cos;
  private float[] sin;

  public RotaryBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    rotary = kernels.rotary();
    x = values(heads * headDim);
    cos = new float[headDim / 2];
    sin = new float[headDim / 2];
    for (int pair = 0; pair < headDim / 2; pair++) {
      cos[pair] = (float) Math.cos(pair);
      sin[pair] = (float) Math.sin(pair);
    }
  }

  @Benchmark
  public float[] rotate() {
    rotary.rotate(layout, x, 0, heads, headDim, headDim, cos, sin, 0);
    return x;
  }
}
