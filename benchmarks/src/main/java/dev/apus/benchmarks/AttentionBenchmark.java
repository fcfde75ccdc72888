package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The last rows of a sequence against all of its keys, for one key–value head. */
public class AttentionBenchmark extends KernelBenchmark {

  @Param("128")
  int headDim;

  @Param("4")
  int group;

  @Param({"1", "64"})
  int tokens;

  @Param({"512", "8192"})
  int context;

  private Attention attention;
  private Traits traits;
  private Queries queries;
  private Visited visited;
  private MemorySegment keys;
  private MemorySegment values;
  private float[] out;
  private float[] scratch;

  public AttentionBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    attention = kernels.attention();
    traits = new Traits(headDim, headDim, (float) (1 / Math.sqrt(headDim)), 0);
    int stride = group * headDim;
    queries = new Queries(values(tokens * stride), 0, stride, tokens, group, context - tokens);
    visited = new Visited(new int[] {0, context}, 1, true, 0);
    out = new float[tokens * stride];
    scratch = new float[attention.scratchFloats(traits, tokens, group)];
    store();
  }

  private void store() {
    int granularity = attention.slotGranularity();
    int slots = Math.ceilDiv(context, granularity) * granularity;
    keys = memory(attention.keyBytes(headDim, slots));
    values = memory(attention.valueBytes(headDim, slots));
    for (int slot = 0; slot < context; slot++) {
      attention.storeKeys(values(headDim), 0, headDim, keys, 0, slot);
      attention.storeValues(values(headDim), 0, headDim, values, 0, slot);
    }
  }

  @Benchmark
  public float[] attend() {
    attention.attend(
        traits,
        queries,
        visited,
        keys,
        0,
        values,
        0,
        null,
        null,
        0,
        out,
        0,
        group * headDim,
        scratch);
    return out;
  }
}
