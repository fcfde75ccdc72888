package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import java.util.Arrays;

/**
 * What a cache keeps of each whole block of its slots: in each head a key, and perhaps a value,
 * made of those in the block's slots as a query in the last of them sees them. They stand in a
 * cache of their own, a slot for each block, so that queries are scored against blocks, and attend
 * to them, as to tokens.
 *
 * @param slots of a block; the first block begins at slot 0
 * @param kernel of the cache that they stand in
 */
record BlockSummary(int slots, Kind kind, Attention kernel) {

  /** What is made of a block. */
  enum Kind {
    /** The key is the mean of the keys; there is no value. */
    MEAN_KEY,
    /** Key and value are the means of keys and values. */
    MEANS,
    /**
     * The key is the least of each coordinate of the keys, and then the greatest of each; there is
     * no value. For {@code (min(q, 0), max(q, 0))}, the score is the greatest that any key between
     * these bounds could have.
     */
    KEY_BOUNDS
  }

  /** Folding a value takes about as long as computing so many. */
  private static final int FOLD_VALUES = 4;

  /** How a cache keeps them whose layout is this. */
  CacheLayout layout(CacheLayout tokens) {
    int keyDim = kind == Kind.KEY_BOUNDS ? 2 * tokens.keyDim() : tokens.keyDim();
    int valueDim = kind == Kind.MEANS ? tokens.valueDim() : 0;
    return new CacheLayout(kernel, tokens.heads(), tokens.valueHeads(), keyDim, valueDim, 0, null);
  }

  /** An empty cache of the summaries of a sequence. */
  KeyValueCache cache(CacheLayout tokens, int limit) {
    return new KeyValueCache(layout(tokens), limit / slots, null);
  }

  /** Appends what the blocks leave that have become whole. */
  void append(Pass pass, KeyValueCache tokens, KeyValueCache blocks) {
    int first = blocks.length();
    int count = tokens.length() / slots - first;
    if (count == 0) {
      return;
    }
    CacheLayout from = tokens.layout();
    CacheLayout to = blocks.layout();
    int heads = from.heads();
    try (Pass.Frame frame = pass.frame()) {
      Matrix k = frame.matrix(count, heads * to.keyDim());
      Matrix v = frame.matrix(count, to.valueHeads() * to.valueDim());
      pass.eachRow(
          count * heads,
          FOLD_VALUES * slots * (from.keyDim() + to.valueDim()),
          (start, end, worker) -> {
            float[] loaded = pass.scratch(worker, Math.max(from.keyDim(), from.valueDim()));
            for (int i = start; i < end; i++) {
              int block = i / heads;
              int head = i % heads;
              int kAt = k.at(block) + head * to.keyDim();
              keys(tokens, head, first + block, loaded, k.data(), kAt);
              if (to.valueDim() > 0 && head < to.valueHeads()) {
                int vAt = v.at(block) + head * to.valueDim();
                values(tokens, head, first + block, loaded, v.data(), vAt);
              }
            }
          });
      blocks.append(pass, k, v, 0, count);
    }
  }

  private void keys(
      KeyValueCache tokens, int head, int block, float[] loaded, float[] out, int outAt) {
    CacheLayout layout = tokens.layout();
    int dim = layout.keyDim();
    double[] sums = new double[dim];
    if (kind == Kind.KEY_BOUNDS) {
      Arrays.fill(out, outAt, outAt + dim, Float.POSITIVE_INFINITY);
      Arrays.fill(out, outAt + dim, outAt + 2 * dim, Float.NEGATIVE_INFINITY);
    }
    int last = (block + 1) * slots - 1;
    for (int slot = block * slots; slot <= last; slot++) {
      layout.kernel().loadKeys(tokens.stored(head), last, dim, slot, loaded, 0);
      if (kind == Kind.KEY_BOUNDS) {
        bound(loaded, dim, out, outAt);
      } else {
        add(loaded, sums);
      }
    }
    if (kind != Kind.KEY_BOUNDS) {
      mean(sums, out, outAt);
    }
  }

  private void values(
      KeyValueCache tokens, int head, int block, float[] loaded, float[] out, int outAt) {
    CacheLayout layout = tokens.layout();
    double[] sums = new double[layout.valueDim()];
    int last = (block + 1) * slots - 1;
    for (int slot = block * slots; slot <= last; slot++) {
      layout.kernel().loadValues(tokens.stored(head), last, sums.length, slot, loaded, 0);
      add(loaded, sums);
    }
    mean(sums, out, outAt);
  }

  private static void bound(float[] key, int dim, float[] bounds, int at) {
    for (int d = 0; d < dim; d++) {
      bounds[at + d] = Math.min(bounds[at + d], key[d]);
      bounds[at + dim + d] = Math.max(bounds[at + dim + d], key[d]);
    }
  }

  private static void add(float[] values, double[] sums) {
    for (int d = 0; d < sums.length; d++) {
      sums[d] += values[d];
    }
  }

  private void mean(double[] sums, float[] out, int at) {
    for (int d = 0; d < sums.length; d++) {
      out[at + d] = (float) (sums[d] / slots);
    }
  }
}
