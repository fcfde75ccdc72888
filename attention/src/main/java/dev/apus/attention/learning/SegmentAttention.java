package dev.apus.attention.learning;

import dev.apus.attention.rope.Rope;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Visited;

/**
 * Attention of a segment's rows x over learned rows P, over rows h that come with them, and over
 * themselves: row i sees all of P, and the first i + 1 of h and of x.
 *
 * <p>A head's slots hold P, then the segment's h, then its x; keys and queries turn by their slot.
 * The next segment takes the slots of the last.
 */
final class SegmentAttention {

  private static final Biases NO_BIASES = new Biases(null, null, 0);

  /**
   * @param persistent how many learned rows there are
   * @param rope how queries and keys turn, or null
   */
  record Spec(int heads, int headDim, int segment, int persistent, Rope.Spec rope) {

    static Spec read(Config c, int segment) {
      int heads = c.positive("heads");
      int headDim = c.positive("headDim");
      int persistent = c.count("persistent", 0);
      double slots = persistent + 2.0 * segment;
      if ((slots + 64) * heads * (2 * headDim + 32.0) > Integer.MAX_VALUE) {
        throw c.error(
            "heads=%d of headDim=%d, segment=%d, persistent=%d are more than 2^31 − 1 values",
            heads, headDim, segment, persistent);
      }
      Rope.Spec rope =
          c.has("rope") ? Rope.Spec.read(c.section("rope"), headDim, (int) slots) : null;
      return new Spec(heads, headDim, segment, persistent, rope);
    }

    int cols() {
      return heads * headDim;
    }

    int slots() {
      return persistent + 2 * segment;
    }
  }

  private final Spec spec;
  private final Kernels kernels;
  private final Attention kernel;
  private final Attention.Traits traits;
  private final Projection q;
  private final Projection k;
  private final Projection v;
  private final Projection o;
  private final Matrix persistent;
  private final Rope rope;
  private final Rope.Tables tables;

  SegmentAttention(Spec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    int dim = spec.headDim();
    this.spec = spec;
    this.kernels = site.kernels();
    this.kernel = site.steadyAttention("attention in segments");
    this.traits = new Attention.Traits(dim, dim, (float) (1 / Math.sqrt(dim)), 0);
    this.q = weights.projection("q", spec.cols(), width);
    this.k = weights.projection("k", spec.cols(), width);
    this.v = weights.projection("v", spec.cols(), width);
    this.o = weights.projection("o", width, spec.cols());
    int learned = spec.persistent();
    this.persistent =
        learned == 0
            ? null
            : new Matrix(
                weights.table("persistent", learned, width, new Typical(0, 1)), learned, width);
    this.rope = spec.rope() == null ? null : Rope.of(spec.rope(), spec.slots());
    this.tables = rope == null ? null : rope.tables(spec.slots());
  }

  /** What a sequence remembers: the slots of each head. */
  Region region() {
    return new Region(spec.heads(), (keyBytes() + valueBytes()) / Float.BYTES);
  }

  private int slots() {
    return Math.ceilDiv(spec.slots(), kernel.slotGranularity()) * kernel.slotGranularity();
  }

  private long keyBytes() {
    return kernel.keyBytes(spec.headDim(), slots());
  }

  private long valueBytes() {
    return kernel.valueBytes(spec.headDim(), slots());
  }

  /**
   * Writes what each row of {@code x} makes of what it sees.
   *
   * @param batch runs that lie within a segment each
   * @param h a row for each of {@code x}
   */
  void attend(Pass pass, Batch<RecurrentState> batch, int region, Matrix h, Matrix x, Matrix y) {
    int rows = x.rows();
    int cols = spec.cols();
    begin(pass, batch, region);
    try (Pass.Frame frame = pass.frame()) {
      Matrix queries = frame.matrix(rows, cols);
      Matrix keys = frame.matrix(rows, cols);
      Matrix values = frame.matrix(rows, cols);
      Matrix contextKeys = frame.matrix(rows, cols);
      Matrix contextValues = frame.matrix(rows, cols);
      pass.run(
          q.task(pass, x, queries),
          k.task(pass, x, keys),
          v.task(pass, x, values),
          k.task(pass, h, contextKeys),
          v.task(pass, h, contextValues));
      Matrix heads = frame.matrix(rows, cols);
      batch.eachPart(
          pass,
          spec.heads(),
          (run, head, worker) -> {
            int context = spec.persistent() + run.position() % spec.segment();
            int own = context + spec.segment();
            store(run, region, head, contextKeys, contextValues, run.from(), run.length(), context);
            store(run, region, head, keys, values, run.from(), run.length(), own);
            float[] scratch = pass.scratch(worker, kernel.scratchFloats(traits, 1));
            Piece piece = piece(run.state(), region, head);
            for (int i = 0; i < run.length(); i++) {
              int row = run.from() + i;
              turn(queries, row, head, own + i);
              attend(piece, head, queries, heads, row, context + i, own + i, scratch);
            }
          });
      o.apply(pass, heads, y);
    }
  }

  private void attend(
      Piece piece,
      int head,
      Matrix queries,
      Matrix heads,
      int row,
      int context,
      int own,
      float[] scratch) {
    int dim = spec.headDim();
    int first = spec.persistent() + spec.segment();
    var seen = new Visited(new int[] {0, context + 1, first, own + 1}, 2, false, 0);
    int at = queries.at(row) + head * dim;
    var query = new Queries(queries.data(), at, queries.cols(), 1, 1, own);
    int to = heads.at(row) + head * dim;
    kernel.attend(traits, query, seen, piece, NO_BIASES, heads.data(), to, heads.cols(), scratch);
  }

  private Piece piece(RecurrentState state, int region, int head) {
    long at = state.at(region, head);
    return new Piece(state.segment(), at, state.segment(), at + keyBytes());
  }

  /** Stores the learned rows of the runs that begin a sequence. */
  private void begin(Pass pass, Batch<RecurrentState> batch, int region) {
    boolean begins = batch.runs().stream().anyMatch(run -> run.position() == 0);
    if (persistent == null || !begins) {
      return;
    }
    try (Pass.Frame frame = pass.frame()) {
      int learned = spec.persistent();
      Matrix keys = frame.matrix(learned, spec.cols());
      Matrix values = frame.matrix(learned, spec.cols());
      pass.run(k.task(pass, persistent, keys), v.task(pass, persistent, values));
      for (Run<RecurrentState> run : batch.runs()) {
        for (int head = 0; run.position() == 0 && head < spec.heads(); head++) {
          // Turned once for every sequence that begins: so each turns a copy.
          Matrix copy = frame.matrix(learned, spec.cols());
          System.arraycopy(keys.data(), 0, copy.data(), 0, learned * spec.cols());
          store(run, region, head, copy, values, 0, learned, 0);
        }
      }
    }
  }

  /** Turns the keys of one head and stores them with their values. */
  private void store(
      Run<RecurrentState> run,
      int region,
      int head,
      Matrix keys,
      Matrix values,
      int from,
      int count,
      int slot) {
    RecurrentState state = run.state();
    state.keep(region, head);
    Piece piece = piece(state, region, head);
    int dim = spec.headDim();
    for (int i = 0; i < count; i++) {
      turn(keys, from + i, head, slot + i);
      int at = keys.at(from + i) + head * dim;
      kernel.storeKeys(keys.data(), at, dim, piece.keys(), piece.keysAt(), slot + i);
      int valueAt = values.at(from + i) + head * dim;
      kernel.storeValues(values.data(), valueAt, dim, piece.values(), piece.valuesAt(), slot + i);
    }
  }

  private void turn(Matrix x, int row, int head, int slot) {
    if (rope != null) {
      int dim = spec.headDim();
      rope.rotate(kernels.rotary(), x.data(), x.at(row) + head * dim, 1, dim, tables, slot);
    }
  }
}
