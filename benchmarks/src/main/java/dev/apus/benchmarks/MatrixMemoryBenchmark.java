package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Read;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** One head's memory through one token and through chunks, for every rule. */
public class MatrixMemoryBenchmark extends KernelBenchmark {

  @Param Decay decay;

  @Param Write write;

  @Param("AFTER")
  Read read;

  @Param("128")
  int headDim;

  @Param({"1", "64"})
  int tokens;

  private MatrixMemory memory;
  private Shape shape;
  private Inputs in;
  private Rows o;
  private MemorySegment state;
  private float[] scratch;
  private int seen;

  public MatrixMemoryBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    memory = kernels.memory();
    shape = new Shape(headDim, headDim, decay, write, read);
    // keys of length 1, as the delta rule wants them
    Rows k = rows(values(tokens * headDim));
    kernels.norms().l2(k.data(), 0, tokens, headDim, 1, 0, k.data(), 0);
    Rows factors =
        switch (decay) {
          case NONE -> null;
          case SCALAR -> new Rows(factors(tokens, 0.9), 0, 1);
          case PER_KEY, PER_VALUE -> rows(factors(tokens * headDim, 0.9));
        };
    Rows beta = write.scaled() ? new Rows(factors(tokens, 0.1), 0, 1) : null;
    Rows q = rows(values(tokens * headDim));
    Rows bonus = new Rows(values(headDim), 0, 0);
    in = new Inputs(q, k, rows(values(tokens * headDim)), factors, beta).erasing(k, k).bonus(bonus);
    o = rows(new float[tokens * headDim]);
    state = memory(MatrixMemory.floats(shape) * Float.BYTES);
    seen = 0;
    scratch = new float[memory.scratchFloats(shape)];
  }

  /** The memory is read once a token or chunk; how often it is written is the kernel's choice. */
  @Override
  long touchedBytes() {
    return 4L * headDim * (headDim + 4L * tokens);
  }

  private Rows rows(float[] data) {
    return new Rows(data, 0, headDim);
  }

  @Benchmark
  public float[] advance(Shares shares) {
    memory.advance(shape, tokens, in, state, 0, seen, o, scratch);
    seen += tokens;
    count(shares, touchedBytes(), multiplyAdds());
    return o.data();
  }

  /** What cannot be saved: the memory read with each query and, if it must be, each key; writes. */
  private double multiplyAdds() {
    int passes =
        switch (write) {
          case ADD -> 2;
          case DELTA, FEEDBACK -> 3;
          case ERASE -> 4;
        };
    return (double) passes * headDim * headDim * tokens;
  }
}
