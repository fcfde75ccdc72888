package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.levels.LevelMemory;
import dev.apus.kernels.levels.LevelMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** What a head does with the memory of one level. */
public class LevelMemoryBenchmark extends KernelBenchmark {

  @Param("128")
  int headDim;

  @Param({"1", "64"})
  int tokens;

  private LevelMemory levels;
  private Shape shape;
  private MemorySegment memory;
  private Rows q;
  private Rows k;
  private Rows v;
  private Rows w;
  private Rows o;

  public LevelMemoryBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    levels = kernels.levels();
    shape = new Shape(headDim, headDim);
    memory = memory(8 * shape.floats());
    q = rows(values(tokens * headDim));
    k = rows(values(tokens * headDim));
    v = rows(values(tokens * headDim));
    w = new Rows(values(tokens), 0, 1);
    o = rows(new float[tokens * headDim]);
  }

  private Rows rows(float[] data) {
    return new Rows(data, 0, headDim);
  }

  @Override
  long touchedBytes() {
    return 4 * shape.floats() + 8L * tokens * headDim;
  }

  @Benchmark
  public float[] meet(Shares shares) {
    levels.meet(shape, tokens, q, k, v, w, o);
    count(shares, 16.0 * tokens * headDim, 2.0 * tokens * headDim);
    return o.data();
  }

  @Benchmark
  public float[] read(Shares shares) {
    levels.read(shape, tokens, q, w, memory, 0, o);
    count(shares, touchedBytes(), (double) shape.floats() * tokens);
    return o.data();
  }

  @Benchmark
  public MemorySegment write(Shares shares) {
    levels.write(shape, k.data(), 0, v.data(), 0, memory, 0);
    count(shares, 4.0 * shape.floats(), shape.floats());
    return memory;
  }

  @Benchmark
  public MemorySegment merge(Shares shares) {
    levels.merge(shape, 1e-6f, memory, 4 * shape.floats(), memory, 0);
    count(shares, 12.0 * shape.floats(), shape.floats());
    return memory;
  }
}
