package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** One head's memory through one token and through a chunk, for every rule. */
public class MatrixMemoryBenchmark extends KernelBenchmark {

  @Param Decay decay;

  @Param Write write;

  @Param("128")
  int headDim;

  @Param({"1", "64"})
  int tokens;

  private MatrixMemory memory;
  private Shape shape;
  private Rows q;
  private Rows k;
  private Rows v;
  private Rows factors;
  private Rows beta;
  private Rows o;
  private MemorySegment state;
  private float[] scratch;

  public MatrixMemoryBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    memory = kernels.memory();
    shape = new Shape(headDim, headDim, decay, write);
    q = rows(values(tokens * headDim));
    k = rows(values(tokens * headDim));
    // keys of length 1, as the delta rule wants them
    kernels.norms().l2(k.data(), 0, tokens, headDim, 1, 0, k.data(), 0);
    v = rows(values(tokens * headDim));
    factors =
        switch (decay) {
          case NONE -> null;
          case SCALAR -> new Rows(factors(tokens, 0.9), 0, 1);
          case PER_KEY -> rows(factors(tokens * headDim, 0.9));
        };
    beta = write == Write.DELTA ? new Rows(factors(tokens, 0.1), 0, 1) : null;
    o = rows(new float[tokens * headDim]);
    state = memory((long) headDim * headDim * Float.BYTES);
    scratch = new float[memory.scratchFloats(shape)];
  }

  private Rows rows(float[] data) {
    return new Rows(data, 0, headDim);
  }

  @Benchmark
  public float[] advance() {
    memory.advance(shape, tokens, q, k, v, factors, beta, state, 0, o, scratch);
    return o.data();
  }
}
