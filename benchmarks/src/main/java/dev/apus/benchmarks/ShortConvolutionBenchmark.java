package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.conv.ShortConvolution;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The convolution before a recurrence, for one token and for a chunk. */
public class ShortConvolutionBenchmark extends KernelBenchmark {

  private static final int TAPS = 4;

  @Param("4096")
  int width;

  @Param({"1", "64"})
  int tokens;

  private ShortConvolution convolution;
  private float[] weight;
  private float[] bias;
  private float[] x;
  private float[] y;
  private MemorySegment state;

  public ShortConvolutionBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    convolution = kernels.convolution();
    weight = values(TAPS * width);
    bias = values(width);
    x = values(tokens * width);
    y = new float[tokens * width];
    state = memory((long) (TAPS - 1) * width * Float.BYTES);
  }

  @Override
  long touchedBytes() {
    return 4L * width * (2 * tokens + 2 * TAPS);
  }

  @Benchmark
  public float[] convolve(Shares shares) {
    convolution.convolve(
        weight, bias, TAPS, width, 0, width, x, 0, width, tokens, state, 0, y, 0, width);
    count(shares, touchedBytes() + 4.0 * (TAPS - 1) * width, (double) TAPS * width * tokens);
    return y;
  }
}
