package dev.apus.benchmarks;

import dev.apus.core.compute.Workers;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.matmul.Products;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * A weight matrix times a few rows of activations, in every format.
 *
 * <p>Each call takes the next of many copies of the matrix, as a model goes from layer to layer, so
 * that the weights come from memory and not from a cache.
 */
public class MatmulBenchmark extends KernelBenchmark {

  @Param WeightFormat format;

  @Param("EXACT")
  Products products;

  @Param({"1", "8", "128"})
  int tokens;

  @Param("2048")
  int rows;

  @Param("2048")
  int cols;

  /** All copies of the matrix together take at least this much. */
  @Param("512")
  int mebibytes;

  private Matmul matmul;
  private MemorySegment matrices;
  private long matrixBytes;
  private int copies;
  private int next;
  private float[] x;
  private float[] y;
  private float[] scratch;

  public MatmulBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    matmul = kernels.with(products).matmul(format);
    matrixBytes = panels() * matmul.panelBytes(cols);
    copies = Math.toIntExact(Math.ceilDiv((long) mebibytes << 20, matrixBytes));
    matrices = memory(copies * matrixBytes);
    packAll();
    x = values(tokens * cols);
    y = new float[tokens * rows];
    scratch = new float[matmul.scratchFloats(cols, tokens)];
  }

  @Override
  Ceilings measureCeilings() {
    try (Workers alone = Workers.of(1)) {
      return Ceilings.measure(alone, matrices, ceilingMillis);
    }
  }

  @Override
  long touchedBytes() {
    return matrixBytes;
  }

  private int panels() {
    return Math.ceilDiv(rows, Matmul.PANEL_ROWS);
  }

  private void packAll() {
    MemorySegment[] panel = new MemorySegment[Matmul.PANEL_ROWS];
    Arrays.setAll(panel, row -> weights(format.rowBytes(cols)));
    for (long p = 0; p < (long) copies * panels(); p++) {
      matmul.pack(panel, cols, matrices, p * matmul.panelBytes(cols));
    }
  }

  @Benchmark
  public float[] multiply(Shares shares) {
    MemorySegment matrix = matrices.asSlice(next * matrixBytes, matrixBytes, 64);
    next = (next + 1) % copies;
    matmul.multiply(matrix, rows, cols, 0, panels(), x, 0, cols, tokens, y, 0, rows, scratch);
    count(shares, matrixBytes, (double) rows * cols * tokens);
    return y;
  }
}
