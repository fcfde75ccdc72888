package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Functions of one row. Those that work in place get a fresh copy of their input each time. */
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

  private float[] freshInput() {
    System.arraycopy(input, 0, x, 0, width);
    return x;
  }

  @Benchmark
  public float[] copyAlone() {
    return freshInput();
  }

  @Benchmark
  public float[] silu() {
    return apply(Activation.SILU);
  }

  @Benchmark
  public float[] gelu() {
    return apply(Activation.GELU);
  }

  @Benchmark
  public float[] softplus() {
    return apply(Activation.SOFTPLUS);
  }

  private float[] apply(Activation f) {
    activations.apply(f, freshInput(), 0, width);
    return x;
  }

  @Benchmark
  public float[] siluGate() {
    activations.gate(Activation.SILU, gate, 0, freshInput(), 0, width);
    return x;
  }

  @Benchmark
  public float[] softmax() {
    activations.softmax(freshInput(), 0, width);
    return x;
  }

  @Benchmark
  public float[] softcap() {
    activations.softcap(30, freshInput(), 0, width);
    return x;
  }

  @Benchmark
  public float[] addScaled() {
    activations.addScaled(0.5f, gate, 0, freshInput(), 0, width);
    return x;
  }
}
