package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import dev.apus.kernels.attention.CacheFormat;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * The last rows of a sequence against all keys that they see, for all heads of a layer. One row is
 * a step of generation, as many rows as the context a prompt.
 */
public class AttentionBenchmark extends KernelBenchmark {

  @Param CacheFormat cache;

  @Param({"64", "128"})
  int headDim;

  @Param("8")
  int kvHeads;

  @Param("4")
  int group;

  @Param({"1", "512"})
  int rows;

  @Param({"512", "32768"})
  int context;

  /** How many tokens back a row sees; 0 for all. */
  @Param("0")
  int window;

  /** Rows of a call. */
  @Param("32")
  int tileRows;

  private Attention attention;
  private Traits traits;
  private Biases biases;
  private MemorySegment keys;
  private MemorySegment values;
  private MemorySegment recentKeys;
  private MemorySegment recentValues;
  private float[] q;
  private float[] out;
  private float[] scratch;

  public AttentionBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    if (rows > context) {
      throw new IllegalArgumentException("rows=" + rows + " are more than context=" + context);
    }
    attention = kernels.attention(cache);
    traits = new Traits(headDim, headDim, (float) (1 / Math.sqrt(headDim)), 0);
    biases = new Biases(null, null, 0);
    q = values(rows * stride());
    out = new float[rows * stride()];
    scratch = new float[attention.scratchFloats(traits, tileRows * group)];
    keys = memory(kvHeads * attention.keyBytes(headDim, slots()));
    values = memory(kvHeads * attention.valueBytes(headDim, slots()));
    int spans = Math.ceilDiv(context, Attention.SPAN) - firstSpan();
    Attention recent = attention.recent();
    recentKeys = memory(kvHeads * recent.keyBytes(headDim, spans * Attention.SPAN));
    recentValues = memory(kvHeads * recent.valueBytes(headDim, spans * Attention.SPAN));
    for (int head = 0; head < kvHeads; head++) {
      for (int span = 0; span * Attention.SPAN < context; span++) {
        store(head, span);
      }
    }
  }

  /** The first span that rows stand in: from there on, slots are kept as they are stored, too. */
  private int firstSpan() {
    return (context - rows) / Attention.SPAN;
  }

  private void store(int head, int span) {
    boolean settles = cache.settles();
    // What settles lies for a moment where the spans of the rows will.
    Piece piece = settles ? recent(head, Math.max(0, firstSpan() - span)) : stored(head);
    Attention kernel = attention.recent();
    int end = Math.min(context, (span + 1) * Attention.SPAN);
    for (int slot = span * Attention.SPAN; slot < end; slot++) {
      kernel.storeKeys(values(headDim), 0, headDim, piece.keys(), piece.keysAt(), slot);
      kernel.storeValues(values(headDim), 0, headDim, piece.values(), piece.valuesAt(), slot);
    }
    if (settles && end % Attention.SPAN == 0) {
      attention.settle(headDim, headDim, span, piece, stored(head));
    }
  }

  /** Slots of a head that are read as they were stored, as if this many spans came before. */
  private Piece recent(int head, int back) {
    Attention recent = attention.recent();
    int slots = (Math.ceilDiv(context, Attention.SPAN) - firstSpan()) * Attention.SPAN;
    int first = (firstSpan() - back) * Attention.SPAN;
    return new Piece(
        recentKeys,
        head * recent.keyBytes(headDim, slots) - recent.keyBytes(headDim, first),
        recentValues,
        head * recent.valueBytes(headDim, slots) - recent.valueBytes(headDim, first));
  }

  @Override
  Ceilings measureCeilings() {
    return Ceilings.measure(1, 256L << 20, ceilingMillis);
  }

  /** Those of the keys and values that are seen at all. */
  @Override
  long touchedBytes() {
    long slots = window == 0 ? context : Math.min(context, window + rows - 1);
    int granularity = attention.slotGranularity();
    long bytes =
        attention.keyBytes(headDim, granularity) + attention.valueBytes(headDim, granularity);
    return kvHeads * slots * bytes / granularity;
  }

  private int stride() {
    return kvHeads * group * headDim;
  }

  private int slots() {
    int granularity = attention.slotGranularity();
    return Math.ceilDiv(context, granularity) * granularity;
  }

  private Piece stored(int head) {
    long keysAt = head * attention.keyBytes(headDim, slots());
    long valuesAt = head * attention.valueBytes(headDim, slots());
    return new Piece(keys, keysAt, values, valuesAt);
  }

  private Stored settled(int head) {
    return new Stored() {
      @Override
      public Piece piece(int span) {
        return stored(head);
      }

      @Override
      public Piece recent(int span) {
        return AttentionBenchmark.this.recent(head, 0);
      }
    };
  }

  @Benchmark
  public float[] attend(Shares shares) {
    for (int head = 0; head < kvHeads; head++) {
      for (int row = 0; row < rows; row += tileRows) {
        attend(head, row, Math.min(tileRows, rows - row));
      }
    }
    count(shares, touchedBytes(), 2 * stride() * seen());
    return out;
  }

  private void attend(int head, int row, int count) {
    int at = row * stride() + head * group * headDim;
    int position = context - rows + row;
    int first = window == 0 ? 0 : Math.max(0, position - window + 1);
    attention.attend(
        traits,
        new Queries(q, at, stride(), count, group, position),
        new Visited(new int[] {first, position + count}, 1, true, window),
        cache.settles() ? settled(head) : stored(head),
        biases,
        out,
        at,
        stride(),
        scratch);
  }

  /** Keys that the rows of one head see, all together. */
  private double seen() {
    double seen = 0;
    for (int slots = context - rows + 1; slots <= context; slots++) {
      seen += window == 0 ? slots : Math.min(slots, window);
    }
    return seen;
  }
}
