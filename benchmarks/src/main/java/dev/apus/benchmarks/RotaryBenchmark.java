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
  private float[] rate;
  private float[] angle;
  private float[] x;
  private float[] cos;
  private float[] sin;

  public RotaryBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    rotary = kernels.rotary();
    x = values(heads * headDim);
    rate = values(headDim / 2);
    angle = new float[headDim / 2];
    cos = new float[headDim / 2];
    sin = new float[headDim / 2];
    for (int pair = 0; pair < headDim / 2; pair++) {
      cos[pair] = (float) Math.cos(pair);
      sin[pair] = (float) Math.sin(pair);
    }
  }

  @Override
  long touchedBytes() {
    return 4L * headDim * (heads + 1);
  }

  @Benchmark
  public float[] rotate(Shares shares) {
    rotary.rotate(layout, x, 0, heads, headDim, headDim, cos, sin, 0);
    count(shares, 8.0 * headDim * heads, 1.5 * headDim * heads);
    return x;
  }

  /** Angles that depend on the token. */
  @Benchmark
  public float[] turn(Shares shares) {
    rotary.turn(0.5f, rate, 0, angle, 0, headDim / 2, cos, sin, 0);
    count(shares, 10.0 * headDim, 0);
    return cos;
  }
}
