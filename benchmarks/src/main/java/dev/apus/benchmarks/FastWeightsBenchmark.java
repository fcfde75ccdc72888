package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.learning.FastWeights;
import dev.apus.kernels.learning.FastWeights.Shape;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** What a head's matrix does that learns while it reads: with one token, and with a mini-batch. */
public class FastWeightsBenchmark extends KernelBenchmark {

  @Param({"64", "256"})
  int headDim;

  @Param({"1", "16"})
  int tokens;

  private FastWeights weights;
  private Shape shape;
  private MemorySegment matrix;
  private Rows q;
  private Rows x;
  private Rows g;
  private Rows y;
  private Rows c;
  private float[] scratch;

  public FastWeightsBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    weights = kernels.fastWeights();
    shape = new Shape(headDim, headDim, true);
    matrix = memory(8L * shape.floats());
    q = rows(values(tokens * headDim));
    x = rows(values(tokens * headDim));
    g = rows(values(tokens * headDim));
    y = rows(new float[tokens * headDim]);
    float[] coefficients = new float[tokens * tokens];
    Arrays.fill(coefficients, -1e-6f);
    c = new Rows(coefficients, 0, tokens);
    scratch = new float[FastWeights.ROWS * headDim];
  }

  private Rows rows(float[] data) {
    return new Rows(data, 0, headDim);
  }

  @Override
  long touchedBytes() {
    return 4L * shape.floats() + 8L * tokens * headDim;
  }

  private double matrixMultiplyAdds() {
    return (double) headDim * headDim * tokens;
  }

  @Benchmark
  public float[] apply(Shares shares) {
    weights.apply(shape, matrix, 0, tokens, x, y);
    count(shares, touchedBytes(), matrixMultiplyAdds());
    return y.data();
  }

  @Benchmark
  public float[] back(Shares shares) {
    weights.back(shape, matrix, 0, tokens, g, y, scratch);
    count(shares, touchedBytes(), matrixMultiplyAdds());
    return y.data();
  }

  @Benchmark
  public float[] recall(Shares shares) {
    weights.recall(shape, tokens, 0, c, q, x, g, y);
    count(shares, 20.0 * tokens * headDim, headDim * tokens * (tokens + 1.0));
    return y.data();
  }

  @Benchmark
  public float[] learn(Shares shares) {
    weights.learn(shape, tokens, 1, c.data(), 0, x, g, matrix, 0);
    count(shares, touchedBytes() + 4.0 * shape.floats(), matrixMultiplyAdds());
    return y.data();
  }

  @Benchmark
  public MemorySegment drift(Shares shares) {
    weights.drift(shape.floats(), 0.5f, 1e-6f, matrix, 0, 4L * shape.floats());
    count(shares, 12.0 * shape.floats(), 2.0 * shape.floats());
    return matrix;
  }
}
