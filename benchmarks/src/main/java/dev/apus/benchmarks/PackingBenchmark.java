package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.BlockCodec;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.matmul.Products;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** What loading and saving do with the rows of a panel of weights, in every format. */
public class PackingBenchmark extends KernelBenchmark {

  @Param WeightFormat format;

  @Param("EXACT")
  Products products;

  @Param("2048")
  int cols;

  private Matmul matmul;
  private BlockCodec codec;
  private MemorySegment[] panel;
  private MemorySegment packed;
  private MemorySegment stored;
  private float[] values;

  public PackingBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    matmul = kernels.with(products).matmul(format);
    codec = format.codec();
    panel = new MemorySegment[Matmul.PANEL_ROWS];
    Arrays.setAll(panel, row -> weights(format.rowBytes(cols)));
    packed = memory(matmul.panelBytes(cols));
    matmul.pack(panel, cols, packed, 0);
    stored = memory(rowBytes());
    values = values(cols);
  }

  private long rowBytes() {
    return Matmul.PANEL_ROWS * format.rowBytes(cols);
  }

  @Override
  long touchedBytes() {
    return 2 * rowBytes();
  }

  @Benchmark
  public MemorySegment pack(Shares shares) {
    matmul.pack(panel, cols, packed, 0);
    count(shares, touchedBytes(), 0);
    return packed;
  }

  @Benchmark
  public MemorySegment unpack(Shares shares) {
    matmul.unpack(packed, 0, cols, 0, Matmul.PANEL_ROWS, stored);
    count(shares, touchedBytes(), 0);
    return stored;
  }

  /** One row into floats. */
  @Benchmark
  public float[] decode(Shares shares) {
    codec.decode(panel[0], 0, values, 0, cols);
    count(shares, format.rowBytes(cols) + 4.0 * cols, 0);
    return values;
  }

  /** One row of floats. */
  @Benchmark
  public MemorySegment encode(Shares shares) {
    codec.encode(values, 0, stored, 0, cols);
    count(shares, format.rowBytes(cols) + 4.0 * cols, 0);
    return stored;
  }
}
