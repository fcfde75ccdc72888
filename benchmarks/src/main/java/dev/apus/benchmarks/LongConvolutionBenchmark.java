package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.conv.LongConvolution;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A block of tokens after a context, through filters that are as long: at once and one by one. */
public class LongConvolutionBenchmark extends KernelBenchmark {

  private static final int BLOCK = LongConvolution.BLOCK;

  @Param("1024")
  int width;

  /** Tokens of a call, which together are a block. */
  @Param({"1", "64"})
  int tokens;

  @Param({"512", "8192"})
  int context;

  private LongConvolution convolution;
  private LongConvolution.Filter filter;
  private float[] x;
  private float[] y;
  private float[][] past;
  private MemorySegment recent;
  private float[] scratch;

  public LongConvolutionBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    convolution = kernels.longConvolution();
    int blocks = context / BLOCK;
    filter =
        convolution.filter(
            width, context + BLOCK, values((context + BLOCK) * width), values(width));
    int groups = filter.groups();
    past = new float[blocks + 1][];
    for (int block = 0; block <= blocks; block++) {
      past[block] = values(groups * LongConvolution.GROUP_FLOATS);
    }
    recent = memory(4L * groups * LongConvolution.GROUP_FLOATS);
    x = values(BLOCK * width);
    y = new float[BLOCK * width];
    scratch = new float[2 * LongConvolution.GROUP_FLOATS];
  }

  /** The spectra of the inputs and of the filter. */
  @Override
  long touchedBytes() {
    return 16L * context * width;
  }

  @Benchmark
  public float[] block(Shares shares) {
    for (int t = 0; t < BLOCK; t += tokens) {
      int count = Math.min(tokens, BLOCK - t);
      int at = t * width;
      int position = context / BLOCK * BLOCK + t;
      convolution.convolve(
          filter,
          0,
          filter.groups(),
          position,
          count,
          x,
          at,
          width,
          recent,
          0,
          past,
          0,
          y,
          at,
          width,
          scratch);
    }
    int log = Integer.numberOfTrailingZeros(BLOCK);
    double each = BLOCK / 2.0 + 4.0 * context / BLOCK + 10.0 * log;
    count(shares, touchedBytes(), each * width * BLOCK);
    return y;
  }
}
