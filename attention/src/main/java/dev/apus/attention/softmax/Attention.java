package dev.apus.attention.softmax;

import dev.apus.attention.softmax.AttentionSpec.NormOver;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
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
 * scores, sinks and an output gate are settings. A sequence may be cut into calls anywhere with the
 * same bits.
 *
 * @see <a href="https://arxiv.org/abs/2305.13245">GQA</a>
 */
public final class Attention implements SequenceMixer<KeyValueCache> {

  /** Rows of one tile: enough to use a block of keys several times while it is in the cache. */
  private static final int TILE_ROWS = 16;

  private final AttentionSpec spec;
  private final Traits traits;
  private final Kernels kernels;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection gates;
  private final Projection output;
  private final Normalization queryNorm;
  private final Normalization keyNorm;
  private final float[] slopes;
  private final float[] sinks;
  private final Rope rope;

  Attention(AttentionSpec spec, Site site) {
    WeightScope weights = site.weights();
    this.spec = spec;
    this.traits = new Traits(spec.headDim(), spec.valueDim(), spec.scale(), spec.softcap());
    this.kernels = site.kernels();
    int width = site.width();
    int queryCols = spec.heads() * spec.headDim();
    int keyCols = spec.kvHeads() * spec.headDim();
    int outCols = spec.heads() * spec.valueDim();
    this.queries = weights.projection("q", queryCols, width, spec.biased());
    this.keys = weights.projection("k", keyCols, width, spec.biased());
    this.values = weights.projection("v", spec.kvHeads() * spec.valueDim(), width, spec.biased());
    this.gates = spec.gated() ? weights.projection("gate", outCols, width) : null;
    this.output = weights.projection("o", width, outCols, spec.outBiased());
    boolean head = spec.normOver() == NormOver.HEAD;
    this.queryNorm =
        Normalization.of(spec.norm(), "q.norm", head ? spec.headDim() : queryCols, weights);
    this.keyNorm =
        Normalization.of(spec.norm(), "k.norm", head ? spec.headDim() : keyCols, weights);
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
        kernels.attention(), spec.kvHeads(), spec.headDim(), spec.valueDim(), limit, turned);
  }

  @Override
  public long bytesPerToken() {
    return 4L * spec.kvHeads() * ((long) spec.headDim() + spec.valueDim());
  }

  @Override
  public void forward(Pass pass, Batch<KeyValueCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix q = frame.matrix(rows, queries.outputs());
      Matrix k = frame.matrix(rows, keys.outputs());
      Matrix v = frame.matrix(rows, values.outputs());
      pass.run(queries.task(pass, x, q), keys.task(pass, x, k), values.task(pass, x, v));
      if (!spec.normAfterRope()) {
        normalize(pass, q, k);
      }
      turn(pass, batch, q, k);
      if (spec.normAfterRope()) {
        normalize(pass, q, k);
      }
      Matrix o = frame.matrix(rows, output.inputs());
      attend(pass, batch, q, k, v, o);
      if (gates != null) {
        gate(pass, frame, x, o);
      }
      output.apply(pass, o, y);
    }
  }

  private void normalize(Pass pass, Matrix q, Matrix k) {
    if (queryNorm == null) {
      return;
    }
    if (spec.normOver() == NormOver.ROW) {
      queryNorm.rows(pass, q, q);
      keyNorm.rows(pass, k, k);
    } else {
      int stride = spec.normOver() == NormOver.EACH_HEAD ? spec.headDim() : 0;
      queryNorm.groups(pass, q, q, spec.heads(), spec.headDim(), stride);
      keyNorm.groups(pass, k, k, spec.kvHeads(), spec.headDim(), stride);
    }
  }

  private void turn(Pass pass, Batch<KeyValueCache> batch, Matrix q, Matrix k) {
    if (spec.rope() == null) {
      return;
    }
    var rotary = kernels.rotary();
    for (Run<KeyValueCache> run : batch.runs()) {
      Rope turned = run.state().rope();
      pass.eachRow(
          run.length(),
          8 * (q.cols() + k.cols()),
          (from, to, worker) -> {
            float[] cos = new float[turned.dims() / 2];
            float[] sin = new float[turned.dims() / 2];
            for (int i = from; i < to; i++) {
              int row = run.from() + i;
              turned.tables(run.position() + i, 1, cos, sin);
              turned.rotate(rotary, q.data(), q.at(row), spec.heads(), spec.headDim(), cos, sin, 0);
              turned.rotate(
                  rotary, k.data(), k.at(row), spec.kvHeads(), spec.headDim(), cos, sin, 0);
            }
          });
    }
  }

  /**
   * One run's rows {@code [from, from + rows)} of the batch, for all query heads of a key–value
   * head.
   */
  private record Tile(Run<KeyValueCache> run, int from, int rows, int kvHead) {}

  private void attend(
      Pass pass, Batch<KeyValueCache> batch, Matrix q, Matrix k, Matrix v, Matrix o) {
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : batch.runs()) {
      run.state().reserve(run.length());
      for (int row = run.from(); row < run.to(); row++) {
        run.state().append(k.data(), k.at(row), v.data(), v.at(row));
      }
      for (int from = run.from(); from < run.to(); from += TILE_ROWS) {
        for (int head = 0; head < spec.kvHeads(); head++) {
          tiles.add(new Tile(run, from, Math.min(TILE_ROWS, run.to() - from), head));
        }
      }
    }
    pass.workers().run(tiles.size(), (part, worker) -> attend(pass, worker, tiles.get(part), q, o));
  }

  private void attend(Pass pass, int worker, Tile tile, Matrix q, Matrix o) {
    KeyValueCache cache = tile.run().state();
    int head = tile.kvHead();
    int position = tile.run().position() + tile.from() - tile.run().from();
    int last = spec.causal() ? position + tile.rows() : cache.length();
    int first = spec.window() == 0 ? 0 : Math.max(0, position - spec.window() + 1);
    if (!spec.causal() && spec.window() != 0) {
      last = Math.min(last, position + tile.rows() - 1 + spec.window());
    }
    var kernel = kernels.attention();
    int headAt = head * spec.group();
    kernel.attend(
        traits,
        new Queries(
            q.data(),
            q.at(tile.from()) + headAt * spec.headDim(),
            q.cols(),
            tile.rows(),
            spec.group(),
            position),
        new Visited(new int[] {first, last}, 1, spec.causal(), spec.window()),
        cache.keys(),
        cache.keysAt(head),
        cache.values(),
        cache.valuesAt(head),
        slopes,
        sinks,
        headAt,
        o.data(),
        o.at(tile.from()) + headAt * spec.valueDim(),
        o.cols(),
        pass.scratch(worker, kernel.scratchFloats(traits, tile.rows(), spec.group())));
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
      AttentionSpec spec = AttentionSpec.read(settings, site.context());
      // Tokens of a later call cannot be seen: another cut into calls would be another answer.
      if (!spec.causal()) {
        throw settings.errorAt(
            "causal",
            "causal=false is not supported: a token would see those after it, which a sequence"
                + " that is computed piece by piece does not have yet; supported: true");
      }
      return new Attention(spec, site);
    }
  }
}
