package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * Functions of one row. Those that work in place get a fresh copy of their input each time, whose
 * bytes count, too; of operations only those that are no part of a function.
 */
public class ActivationsBenchmark extends KernelBenchmark {

  @Param("4096")
  int width;

  private Activations activations;
  private float[] input;
  private float[] gate;
  private float[] x;

  public ActivationsBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    activations = kernels.activations();
    input = values(width);
    gate = values(width);
    x = new float[width];
  }

  /** The input, its copy, and the gate. */
  @Override
  long touchedBytes() {
    return 12L * width;
  }

  private float[] freshInput() {
    System.arraycopy(input, 0, x, 0, width);
    return x;
  }

  @Benchmark
  public float[] copyAlone(Shares shares) {
    count(shares, 8.0 * width, 0);
    return freshInput();
  }

  @Benchmark
  public float[] silu(Shares shares) {
    return apply(shares, Activation.SILU);
  }

  @Benchmark
  public float[] gelu(Shares shares) {
    return apply(shares, Activation.GELU);
  }

  @Benchmark
  public float[] softplus(Shares shares) {
    return apply(shares, Activation.SOFTPLUS);
  }

  private float[] apply(Shares shares, Activation f) {
    activations.apply(f, freshInput(), 0, width);
    count(shares, 16.0 * width, 0);
    return x;
  }

  @Benchmark
  public float[] siluGate(Shares shares) {
    activations.gate(Activation.SILU, gate, 0, freshInput(), 0, width);
    count(shares, 20.0 * width, 0);
    return x;
  }

  @Benchmark
  public float[] softmax(Shares shares) {
    activations.softmax(freshInput(), 0, width);
    count(shares, 16.0 * width, 0);
    return x;
  }

  @Benchmark
  public float[] softcap(Shares shares) {
    activations.softcap(30, freshInput(), 0, width);
    count(shares, 16.0 * width, 0);
    return x;
  }

  @Benchmark
  public float[] addScaled(Shares shares) {
    activations.addScaled(0.5f, gate, 0, freshInput(), 0, width);
    count(shares, 20.0 * width, width);
    return x;
  }
}
