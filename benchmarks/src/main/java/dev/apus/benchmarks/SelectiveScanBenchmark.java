package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.scan.SelectiveScan;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * All channels of a Mamba layer through one token and through a prompt, in blocks as the layer
 * takes them.
 */
public class SelectiveScanBenchmark extends KernelBenchmark {

  private static final int BLOCK = 128;

  /** Multiplications of a value: nine of its decay, three of its change, one of its reading. */
  private static final int FUSED = 13;

  @Param({"1536", "2048"})
  int width;

  @Param("16")
  int stateSize;

  @Param({"1", "512"})
  int tokens;

  private SelectiveScan scan;
  private SelectiveScan.Shape shape;
  private float[] rates;
  private float[] direct;
  private float[] x;
  private float[] delta;
  private float[] bc;
  private float[] y;
  private MemorySegment state;

  public SelectiveScanBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    scan = kernels.selectiveScan();
    shape = new SelectiveScan.Shape(stateSize, BLOCK);
    rates = factors(width * stateSize, -16);
    direct = values(width);
    x = values(tokens * width);
    delta = factors(tokens * width, 0.001);
    bc = values(tokens * 2 * stateSize);
    y = new float[tokens * width];
    state = memory((long) width * stateSize * Float.BYTES);
    for (int i = 0; i < rates.length; i++) {
      rates[i] = Math.min(rates[i], -1);
    }
  }

  @Override
  long touchedBytes() {
    return 4L * (width * (3L * stateSize + 1) + tokens * (3L * width + 2L * stateSize));
  }

  @Benchmark
  public float[] advance(Shares shares) {
    for (int first = 0; first < width; first += BLOCK) {
      scan.advance(
          shape,
          tokens,
          rates,
          first * stateSize,
          direct,
          first,
          new Rows(x, first, width),
          new Rows(delta, first, width),
          new Rows(bc, 0, 2 * stateSize),
          new Rows(bc, stateSize, 2 * stateSize),
          state,
          4L * first * stateSize,
          new Rows(y, first, width));
    }
    count(shares, touchedBytes(), (double) FUSED * width * stateSize * tokens);
    return y;
  }
}
