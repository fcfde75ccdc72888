package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.IndexQuery;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import dev.apus.kernels.attention.CacheFormat;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * One token's latent attention in all heads of a layer: to all tokens before it, and to those that
 * an index chooses. The latter costs {@link #index} and {@link #chosen}.
 */
public class ChosenTokensBenchmark extends KernelBenchmark {

  private static final int LATENT = 512;
  private static final int ROW = LATENT + 64;
  private static final int INDEX_DIM = 128;

  @Param({"F32", "BF16"})
  CacheFormat cache;

  @Param("128")
  int heads;

  @Param("64")
  int indexHeads;

  @Param({"4096", "8192", "16384", "32768", "65536"})
  int context;

  @Param("2048")
  int top;

  private Attention attention;
  private Traits traits;
  private Piece keysAndValues;
  private Piece rows;
  private MemorySegment gathered;
  private int[] slots;
  private float[] q;
  private IndexQuery query;
  private float[] out;
  private float[] scores;
  private float[] scratch;

  public ChosenTokensBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    attention = kernels.attention(cache);
    int granularity = attention.slotGranularity();
    if (top > context || context % granularity != 0) {
      throw new IllegalArgumentException(
          "context=" + context + " must be a multiple of " + granularity + ", at least top=" + top);
    }
    traits = new Traits(ROW, LATENT, (float) (1 / Math.sqrt(192)), 0);
    MemorySegment keys = memory(attention.keyBytes(ROW, context));
    MemorySegment values = memory(attention.valueBytes(LATENT, context));
    MemorySegment kept = memory(attention.valueBytes(ROW, context));
    MemorySegment indexKeys = memory(attention.keyBytes(INDEX_DIM, context));
    for (int slot = 0; slot < context; slot++) {
      float[] row = values(ROW);
      attention.storeKeys(row, 0, ROW, keys, 0, slot);
      attention.storeValues(row, 0, LATENT, values, 0, slot);
      attention.storeValues(row, 0, ROW, kept, 0, slot);
      attention.storeKeys(row, 0, INDEX_DIM, indexKeys, 0, slot);
    }
    keysAndValues = new Piece(keys, 0, values, 0);
    rows = new Piece(indexKeys, 0, kept, 0);
    gathered = memory(spanKeyBytes() + attention.valueBytes(LATENT, Attention.SPAN));
    slots = new SplittableRandom(7).ints(0, context).distinct().limit(top).sorted().toArray();
    q = values(heads * ROW);
    float[] asked = values(indexHeads * INDEX_DIM);
    query = new IndexQuery(asked, 0, indexHeads, INDEX_DIM, values(indexHeads), 0);
    out = new float[heads * LATENT];
    scores = new float[context];
    int floats = attention.scratchFloats(traits, heads);
    scratch = new float[Math.max(floats, attention.indexFloats(indexHeads))];
  }

  @Override
  long touchedBytes() {
    return attention.keyBytes(ROW, context) + attention.valueBytes(LATENT, context);
  }

  private long spanKeyBytes() {
    return attention.keyBytes(ROW, Attention.SPAN);
  }

  private Piece gather(int span) {
    int from = span * Attention.SPAN;
    long keysAt = -attention.keyBytes(ROW, from);
    long valuesAt = spanKeyBytes() - attention.valueBytes(LATENT, from);
    Piece piece = new Piece(gathered, keysAt, gathered, valuesAt);
    int to = Math.min(top, from + Attention.SPAN);
    attention.gather(traits, rows, slots, 0, from, to, piece);
    return piece;
  }

  private float[] attend(Stored stored, int seen) {
    attention.attend(
        traits,
        new Queries(q, 0, q.length, 1, heads, seen - 1),
        new Visited(new int[] {0, seen}, 1, true, 0),
        stored,
        new Biases(null, null, 0),
        out,
        0,
        out.length,
        scratch);
    return out;
  }

  @Benchmark
  public float[] all(Shares shares) {
    count(shares, touchedBytes(), (double) heads * (ROW + LATENT) * context);
    return attend(keysAndValues, context);
  }

  @Benchmark
  public float[] chosen(Shares shares) {
    double share = (double) top / context;
    count(shares, touchedBytes() * share, (double) heads * (ROW + LATENT) * top);
    return attend(this::gather, top);
  }

  @Benchmark
  public float[] index(Shares shares) {
    long keys = attention.keyBytes(INDEX_DIM, context);
    count(shares, keys + 4.0 * context, (double) indexHeads * INDEX_DIM * context);
    for (int from = 0; from < context; from += Attention.SPAN) {
      int to = Math.min(context, from + Attention.SPAN);
      attention.index(query, rows, from, to, scores, from, scratch);
    }
    return scores;
  }
}
