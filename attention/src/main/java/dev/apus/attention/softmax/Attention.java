package dev.apus.attention.softmax;

import dev.apus.attention.softmax.AttentionSpec.NormOver;
import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Output;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Adapters;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Traits;
import java.util.ArrayList;
import java.util.List;

/**
 * Softmax attention with grouped heads:
 *
 * <pre>
 *   oᵢ = Σⱼ softmaxⱼ(scale · qᵢ·kⱼ + bias) vⱼ          y = W_o (o ⊙ σ(gate))
 * </pre>
 *
 * <p>Queries and keys may be normalised and turned (RoPE); a window, ALiBi, a soft cap on the
 * scores, sinks and an output gate are settings. A layer may read the keys and values of another
 * instead of making its own. A sequence may be cut into calls anywhere with the same bits.
 *
 * @see <a href="https://arxiv.org/abs/2305.13245">GQA</a>
 */
public final class Attention implements SequenceMixer<KeyValueCache> {

  /** Queries of a tile: enough to pay for decoding keys and values, few enough for a cache. */
  private static final int TILE_QUERIES = 128;

  /** Rows of a tile: more would score too many keys that the first of them do not see. */
  private static final int MOST_TILE_ROWS = 64;

  /** Parts for each thread that share work out well; with fewer tiles, spans are shared out. */
  private static final int ENOUGH_PARTS = 4;

  /** Memory that the results of single spans may take. */
  private static final int MOST_PART_FLOATS = 1 << 22;

  private final AttentionSpec spec;
  private final Traits traits;
  private final Kernels kernels;
  private final dev.apus.kernels.attention.Attention kernel;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection gates;
  private final Output output;
  private final Adapters adapters;
  private final Normalization queryNorm;
  private final Normalization keyNorm;
  private final float[] slopes;
  private final float[] sinks;
  private final Rope rope;

  /**
   * @param keeper whose keys and values it reads instead of making its own, or null
   */
  Attention(AttentionSpec spec, Site site, Attention keeper) {
    WeightScope weights = site.weights();
    this.spec = spec;
    this.traits = new Traits(spec.headDim(), spec.valueDim(), spec.scale(), spec.softcap());
    this.kernels = site.kernels();
    this.kernel = kernels.attention(site.cache());
    int width = site.inputs();
    int queryCols = spec.heads() * spec.headDim();
    int keyCols = spec.kvHeads() * spec.headDim();
    int valueCols = spec.kvHeads() * spec.valueDim();
    int outCols = spec.heads() * spec.valueDim();
    boolean keeps = keeper == null;
    this.queries = weights.projection("q", queryCols, width, spec.biased());
    this.keys = keeps ? weights.projection("k", keyCols, width, spec.biased()) : null;
    this.values = keeps ? weights.projection("v", valueCols, width, spec.biased()) : null;
    this.gates = spec.gated() ? weights.projection("gate", outCols, width) : null;
    this.output = Output.of(spec.projected(), site, outCols, spec.outBiased());
    this.adapters = Adapters.of(weights, width, spec.adapter());
    if (adapters != null) {
      adapters.to("q", queryCols);
    }
    if (adapters != null && keeps) {
      adapters.to("k", keyCols).to("v", valueCols);
    }
    boolean head = spec.normOver() == NormOver.HEAD;
    this.queryNorm =
        Normalization.of(spec.norm(), "q.norm", head ? spec.headDim() : queryCols, weights);
    this.keyNorm =
        keeps
            ? Normalization.of(spec.norm(), "k.norm", head ? spec.headDim() : keyCols, weights)
            : null;
    this.slopes = spec.alibi() == 0 ? null : Alibi.slopes(spec.heads(), spec.alibi());
    this.sinks = spec.sinks() ? weights.vector("sinks", spec.heads(), Typical.BIAS) : null;
    this.rope =
        spec.rope() == null || spec.rope().dependsOnLimit()
            ? null
            : Rope.of(spec.rope(), site.context());
  }

  @Override
  public KeyValueCache newState(int limit) {
    Rope turned = spec.rope() != null && rope == null ? Rope.of(spec.rope(), limit) : rope;
    return new KeyValueCache(
        kernel, spec.kvHeads(), spec.headDim(), spec.valueDim(), limit, turned);
  }

  @Override
  public long bytesPerToken() {
    int slots = kernel.slotGranularity();
    long bytes = kernel.keyBytes(spec.headDim(), slots) + kernel.valueBytes(spec.valueDim(), slots);
    return spec.kvHeads() * bytes / slots;
  }

  @Override
  public void forward(Pass pass, Batch<KeyValueCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix q = frame.matrix(rows, queries.outputs());
      if (keys == null) {
        queries.apply(pass, x, q);
        adapt(pass, x, q);
        prepare(pass, batch, q, null);
      } else {
        Matrix k = frame.matrix(rows, keys.outputs());
        Matrix v = frame.matrix(rows, values.outputs());
        pass.run(queries.task(pass, x, q), keys.task(pass, x, k), values.task(pass, x, v));
        adapt(pass, x, q, k, v);
        prepare(pass, batch, q, k);
        for (Run<KeyValueCache> run : batch.runs()) {
          run.state().append(pass, k, v, run.from(), run.length());
        }
      }
      Matrix o = output.inner(frame, y);
      attend(pass, batch, q, o);
      if (gates != null) {
        gate(pass, frame, x, o);
      }
      output.apply(pass, o, y);
    }
  }

  private void adapt(Pass pass, Matrix x, Matrix... ys) {
    if (adapters != null) {
      adapters.add(pass, x, ys);
    }
  }

  /**
   * Normalises and turns queries and keys.
   *
   * @param k null where the keys are another layer's
   */
  private void prepare(Pass pass, Batch<KeyValueCache> batch, Matrix q, Matrix k) {
    if (!spec.normAfterRope()) {
      normalize(pass, queryNorm, spec.heads(), q);
      normalize(pass, keyNorm, spec.kvHeads(), k);
    }
    turn(pass, batch, q, k);
    if (spec.normAfterRope()) {
      normalize(pass, queryNorm, spec.heads(), q);
      normalize(pass, keyNorm, spec.kvHeads(), k);
    }
  }

  private void normalize(Pass pass, Normalization norm, int heads, Matrix x) {
    if (norm == null) {
      return;
    }
    if (spec.normOver() == NormOver.ROW) {
      norm.rows(pass, x, x);
    } else {
      int stride = spec.normOver() == NormOver.EACH_HEAD ? spec.headDim() : 0;
      norm.groups(pass, x, x, heads, spec.headDim(), stride);
    }
  }

  private void turn(Pass pass, Batch<KeyValueCache> batch, Matrix q, Matrix k) {
    if (spec.rope() == null) {
      return;
    }
    var rotary = kernels.rotary();
    for (Run<KeyValueCache> run : batch.runs()) {
      Rope turned = run.state().rope();
      Rope.Tables tables = turned.tables(pass, run.position(), run.length());
      pass.eachRow(
          run.length(),
          2 * (q.cols() + (k == null ? 0 : k.cols())),
          (from, to, worker) -> {
            for (int i = from; i < to; i++) {
              int row = run.from() + i;
              turned.rotate(rotary, q.data(), q.at(row), spec.heads(), spec.headDim(), tables, i);
              if (k != null) {
                turned.rotate(
                    rotary, k.data(), k.at(row), spec.kvHeads(), spec.headDim(), tables, i);
              }
            }
          });
    }
  }

  private List<Tile> tiles(Batch<KeyValueCache> batch) {
    int tileRows = Math.clamp(TILE_QUERIES / spec.group(), 1, MOST_TILE_ROWS);
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : batch.runs()) {
      // The last rows have the most to do: whoever is free at the end should find little left.
      for (int end = run.to(); end > run.from(); end -= tileRows) {
        int from = Math.max(run.from(), end - tileRows);
        int position = run.position() + from - run.from();
        int rows = end - from;
        int first = spec.window() == 0 ? 0 : Math.max(0, position - spec.window() + 1);
        int endSlot = endSlot(run.state(), position + rows);
        int prefixEnd = Math.min(spec.prefix(), endSlot);
        for (int head = 0; head < spec.kvHeads(); head++) {
          tiles.add(
              new Tile(
                  run.state(),
                  from,
                  rows,
                  head,
                  position,
                  prefixEnd,
                  Math.max(prefixEnd, first),
                  endSlot));
        }
      }
    }
    return tiles;
  }

  /** The slot after the last that rows before {@code end} see. */
  private int endSlot(KeyValueCache cache, int end) {
    if (spec.causal()) {
      return end;
    }
    long reach = spec.window() == 0 ? cache.length() : end - 1L + spec.window();
    return (int) Math.min(cache.length(), reach);
  }

  private void attend(Pass pass, Batch<KeyValueCache> batch, Matrix q, Matrix o) {
    List<Tile> tiles = tiles(batch);
    int threads = pass.workers().threads();
    long floats = 0;
    int parts = 0;
    for (Tile tile : tiles) {
      floats += (long) tile.parts() * partFloats(tile);
      parts += tile.parts();
    }
    boolean enough = threads == 1 || tiles.size() >= ENOUGH_PARTS * threads;
    if (spec.prefix() > 0) {
      attendSome(pass, tiles, q, o);
    } else if (enough || parts == tiles.size() || floats > MOST_PART_FLOATS) {
      pass.workers()
          .run(tiles.size(), (part, worker) -> attend(pass, worker, tiles.get(part), q, o));
    } else {
      attendSpans(pass, tiles, q, o);
    }
  }

  /** Shares out the spans of as many tiles at a time as there is memory for. */
  private void attendSome(Pass pass, List<Tile> tiles, Matrix q, Matrix o) {
    for (int from = 0, to; from < tiles.size(); from = to) {
      long floats = 0;
      for (to = from; to < tiles.size(); to++) {
        floats += (long) tiles.get(to).parts() * partFloats(tiles.get(to));
        if (to > from && floats > MOST_PART_FLOATS) {
          break;
        }
      }
      attendSpans(pass, tiles.subList(from, to), q, o);
    }
  }

  /** Shares out the spans of the tiles, and then merges those of each tile. */
  private void attendSpans(Pass pass, List<Tile> tiles, Matrix q, Matrix o) {
    int[] partsAt = new int[tiles.size() + 1];
    int spans = 0;
    for (int i = 0; i < tiles.size(); i++) {
      Tile tile = tiles.get(i);
      partsAt[i + 1] = Math.addExact(partsAt[i], tile.parts() * partFloats(tile));
      spans += tile.parts();
    }
    int all = spans;
    try (Pass.Frame frame = pass.frame()) {
      float[] parts = frame.floats(partsAt[tiles.size()]);
      int shares = Math.min(spans, ENOUGH_PARTS * pass.workers().threads());
      pass.workers()
          .run(
              shares,
              (share, worker) -> {
                int from = Workers.rangeStart(all, shares, share);
                int to = Workers.rangeStart(all, shares, share + 1);
                for (int i = 0; i < tiles.size(); i++) {
                  Tile tile = tiles.get(i);
                  for (int part = Math.max(0, from); part < Math.min(to, tile.parts()); part++) {
                    int at = partsAt[i] + part * partFloats(tile);
                    attendSpan(pass, worker, tile, part, q, parts, at);
                  }
                  from -= tile.parts();
                  to -= tile.parts();
                }
              });
      pass.workers().run(tiles.size(), (i, worker) -> merge(tiles.get(i), q, parts, partsAt[i], o));
    }
  }

  private int partFloats(Tile tile) {
    return kernel.partFloats(traits, tile.rows() * spec.group());
  }

  private Queries queries(Tile tile, Matrix q) {
    int at = q.at(tile.from()) + tile.head() * spec.group() * spec.headDim();
    return new Queries(q.data(), at, q.cols(), tile.rows(), spec.group(), tile.position());
  }

  private Biases biases(Tile tile) {
    return new Biases(slopes, sinks, tile.head() * spec.group());
  }

  private int resultAt(Tile tile, Matrix o) {
    return o.at(tile.from()) + tile.head() * spec.group() * spec.valueDim();
  }

  private float[] scratch(Pass pass, int worker, Tile tile) {
    return pass.scratch(worker, kernel.scratchFloats(traits, tile.rows() * spec.group()));
  }

  private void attend(Pass pass, int worker, Tile tile, Matrix q, Matrix o) {
    kernel.attend(
        traits,
        queries(tile, q),
        tile.visited(0, spec),
        tile.cache().stored(tile.head()),
        biases(tile),
        o.data(),
        resultAt(tile, o),
        o.cols(),
        scratch(pass, worker, tile));
  }

  private void attendSpan(
      Pass pass, int worker, Tile tile, int part, Matrix q, float[] parts, int partAt) {
    kernel.attendSpan(
        traits,
        queries(tile, q),
        tile.visited(part, spec),
        tile.span(part),
        tile.cache().stored(tile.head()),
        biases(tile),
        parts,
        partAt,
        scratch(pass, worker, tile));
  }

  private void merge(Tile tile, Matrix q, float[] parts, int partsAt, Matrix o) {
    kernel.merge(
        traits,
        queries(tile, q),
        biases(tile),
        parts,
        partsAt,
        tile.parts(),
        o.data(),
        resultAt(tile, o),
        o.cols());
  }

  private void gate(Pass pass, Pass.Frame frame, Matrix x, Matrix o) {
    Matrix gate = frame.matrix(o.rows(), o.cols());
    gates.apply(pass, x, gate);
    int cols = o.cols();
    pass.eachRow(
        o.rows(),
        4 * cols,
        (from, to, worker) ->
            kernels
                .activations()
                .gate(
                    Activation.SIGMOID,
                    gate.data(),
                    from * cols,
                    o.data(),
                    from * cols,
                    (to - from) * cols));
  }

  /** The type {@code attention}; its settings are those of {@link AttentionSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new Attention(spec(settings, site), site, null);
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site, SequenceMixer<?> owner) {
      AttentionSpec spec = spec(settings, site);
      Attention keeper = (Attention) owner;
      if (!spec.reads(keeper.spec)) {
        throw settings.error(
            "stateOf: kvHeads, headDim, valueDim and rope must be those of the layer whose keys and"
                + " values are read");
      }
      return new Attention(spec, site, keeper);
    }

    private static AttentionSpec spec(Config settings, Site site) {
      AttentionSpec spec = AttentionSpec.read(settings, site.context());
      // Tokens of a later call cannot be seen: another cut into calls would be another answer.
      if (!spec.causal()) {
        throw settings.errorAt(
            "causal",
            "causal=false is not supported: a token would see those after it, which a sequence"
                + " that is computed piece by piece does not have yet; supported: true");
      }
      return spec;
    }
  }
}
