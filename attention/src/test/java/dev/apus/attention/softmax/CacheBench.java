package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import dev.apus.kernels.attention.CacheFormat;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Small caches of one kind: how they are made, filled and looked into. */
class CacheBench {

  private static final int HEADS = 3;
  private static final int KEY_DIM = 5;
  private static final int VALUE_DIM = 7;

  final CacheFormat format;
  private final int forgetting;
  final Reach reach;
  final BlockSummary summary;
  final Attention kernel;
  private final Workers workers = Workers.of(1);
  private final Pass pass = new Pass(workers, Kernels.chosen());

  /**
   * @param forgetting heads of a group that forget, or 0
   * @param summary what is kept of blocks, or null
   */
  CacheBench(CacheFormat format, int forgetting, Reach reach, BlockSummary summary) {
    this.format = format;
    this.summary = summary;
    this.forgetting = forgetting;
    this.reach = reach;
    this.kernel = Kernels.chosen().attention(format);
  }

  KeyValueCache cache(int limit) {
    return new KeyValueCache(layout(kernel), reach, limit, null);
  }

  CacheLayout layout(Attention kernel) {
    return new CacheLayout(kernel, HEADS, HEADS, KEY_DIM, VALUE_DIM, forgetting, summary);
  }

  /** Appends tokens that a seed and their position make. */
  void append(KeyValueCache cache, int tokens, long seed) {
    append(cache, tokens, seed, (k, v, kept, run) -> cache.store(pass, k, v, kept, run));
  }

  /** The same, storing head by head where the cache lets its caller do so, the last one first. */
  void appendByHead(KeyValueCache cache, int tokens, long seed) {
    append(
        cache,
        tokens,
        seed,
        (k, v, kept, run) -> {
          if (cache.takesHeads(run)) {
            NewRows rows = cache.place(k, v, kept, run);
            for (int head = HEADS - 1; head >= 0; head--) {
              rows.store(head);
            }
          } else {
            cache.store(pass, k, v, kept, run);
          }
        });
  }

  private interface Storing {
    void store(Matrix k, Matrix v, Matrix kept, Run<KeyValueCache> run);
  }

  private void append(KeyValueCache cache, int tokens, long seed, Storing storing) {
    for (int i = 0; i < tokens; i++) {
      var random = new SplittableRandom(seed * 1_000_003 + cache.length());
      var k = new Matrix(new float[2 * HEADS * KEY_DIM], 2, HEADS * KEY_DIM);
      var v = new Matrix(new float[2 * HEADS * VALUE_DIM], 2, HEADS * VALUE_DIM);
      for (int j = k.at(1); j < k.data().length; j++) {
        k.data()[j] = (float) random.nextGaussian();
      }
      for (int j = v.at(1); j < v.data().length; j++) {
        v.data()[j] = (float) random.nextGaussian();
      }
      var run = new Run<>(cache, 1, 2, cache.length());
      storing.store(k, v, kept(random), run);
      cache.forget(run);
    }
  }

  private Matrix kept(SplittableRandom random) {
    int cols = HEADS * forgetting;
    var kept = new Matrix(new float[2 * cols], 2, cols);
    for (int i = kept.at(1); i < kept.data().length; i++) {
      kept.data()[i] = (float) -random.nextDouble(0.01);
    }
    return kept;
  }

  /** What a query of ones finds in each head: every key and value that is kept has a part in it. */
  float[] content(KeyValueCache cache) {
    int group = Math.max(1, forgetting);
    float[] out = new float[HEADS * group * VALUE_DIM];
    float[] q = new float[group * KEY_DIM];
    Arrays.fill(out, Float.NaN);
    Arrays.fill(q, 1);
    var traits = new Traits(KEY_DIM, VALUE_DIM, 0.3f, 0);
    for (int head = 0; head < HEADS; head++) {
      kernel.attend(
          traits,
          new Queries(q, 0, group * KEY_DIM, 1, group, cache.length() - 1),
          visited(cache.length()),
          cache.stored(head),
          new Biases(null, null, 0),
          out,
          head * group * VALUE_DIM,
          group * VALUE_DIM,
          new float[kernel.scratchFloats(traits, group)]);
    }
    return summary == null ? out : joined(out, blocks(cache));
  }

  private static float[] joined(float[] a, float[] b) {
    float[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  /** What a query of ones finds in the summaries: their keys' sums, and the values' mean. */
  private float[] blocks(KeyValueCache cache) {
    KeyValueCache blocks = cache.summaries();
    int count = blocks.length();
    assertEquals(cache.length() / summary.slots(), count);
    Attention exact = blocks.layout().kernel();
    var traits = new Traits(blocks.layout().keyDim(), blocks.layout().valueDim(), 0.3f, 0);
    int valuesAt = HEADS * count;
    float[] out = new float[valuesAt + HEADS * traits.valueDim()];
    float[] q = new float[traits.headDim()];
    Arrays.fill(q, 1);
    for (int head = 0; head < HEADS; head++) {
      var queries = new Queries(q, 0, q.length, 1, 1, 0);
      float[] scratch = new float[exact.scratchFloats(traits, 1)];
      Stored stored = blocks.stored(head);
      exact.score(traits, queries, 0, count, stored, out, head * count, count, scratch);
      exact.attend(
          traits,
          queries,
          new Visited(new int[] {0, count}, 1, false, 0),
          stored,
          new Biases(null, null, 0),
          out,
          valuesAt + head * traits.valueDim(),
          0,
          scratch);
    }
    return out;
  }

  long summaryBytes(int blocks) {
    int slots = Math.ceilDiv(blocks, kernel.slotGranularity()) * kernel.slotGranularity();
    return summary == null ? 0 : summary.layout(layout(kernel)).bytes(slots);
  }

  /** Bytes without those of summaries, which are a cache like any other. */
  static long tokenBytes(KeyValueCache cache) {
    return cache.bytes() - (cache.summaries() == null ? 0 : cache.summaries().bytes());
  }

  /** The slots that the token after so many may see. */
  private Visited visited(int length) {
    int pinned = Math.min(reach.pinned(), length);
    int near = reach.window() == 0 ? 0 : Math.max(pinned, length - reach.window() + 1);
    return new Visited(new int[] {0, pinned, near, length}, 2, true, 0);
  }

  /** Whether the token after so many needs a page. */
  boolean needs(int page, int length) {
    return page < reach.pinnedPages() || page >= reach.firstPage(length);
  }

  /** How many pages hold what is kept of so many tokens. */
  int pages(int length) {
    return (int)
        IntStream.range(0, CachePage.count(length)).filter(page -> needs(page, length)).count();
  }

  static byte[] written(KeyValueCache cache) throws IOException {
    var bytes = new ByteArrayOutputStream();
    cache.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  static DataInputStream in(byte[] bytes) {
    return new DataInputStream(new ByteArrayInputStream(bytes));
  }

  long bytes(int slots) {
    return bytes(kernel, slots);
  }

  /** Bytes of so many slots that have not settled. */
  long recentBytes(int slots) {
    return bytes(kernel.recent(), slots);
  }

  private long bytes(Attention attention, int slots) {
    long levels = forgetting * (8L + 4L * slots);
    return HEADS
        * (attention.keyBytes(KEY_DIM, slots) + attention.valueBytes(VALUE_DIM, slots) + levels);
  }
}
