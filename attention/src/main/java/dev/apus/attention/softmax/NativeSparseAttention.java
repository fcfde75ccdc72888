package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.attention.rope.RopeChoice;
import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.CacheFormat;
import java.util.Arrays;
import java.util.List;

/**
 * Native sparse attention: each head attends in three ways to the same keys and values, and a gate
 * of its own weighs each of them.
 *
 * <pre>
 *   oᵢ = g₀ att(qᵢ, {k̄_b, v̄_b}) + g₁ att(qᵢ, keys of chosen blocks) + g₂ att(qᵢ, near keys)
 *   k̄_b, v̄_b = means of block b, if it is whole            g = σ(W_g x)           y = W_o o
 * </pre>
 *
 * <p>The blocks are chosen by the weights that the first way gives to them, on average over the
 * query heads that share keys and values ({@link ChosenBlocks}). The means stand in a cache like
 * tokens, and are scored once, to choose and to attend; a token costs what it visits.
 *
 * @see <a href="https://arxiv.org/abs/2502.11089">Native Sparse Attention</a>
 */
public final class NativeSparseAttention implements SequenceMixer<KeyValueCache> {

  private static final Biases UNBIASED = new Biases(null, null, 0);

  private final SparseSpec spec;
  private final Kernels kernels;
  private final CacheLayout layout;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection gates;
  private final Projection output;
  private final RopeChoice rope;

  private final Heads heads;

  /** Attends to summaries, and chooses blocks. */
  private final ChosenBlocks chosen;

  private final AttentionTiles blocks;

  /** Null if there is no window. */
  private final AttentionTiles near;

  private NativeSparseAttention(SparseSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.inputs();
    this.spec = spec;
    this.kernels = site.kernels();
    var kernel = kernels.attention(site.cache());
    var exact = kernels.attention(CacheFormat.F32);
    int dim = spec.headDim();
    var summary = new BlockSummary(spec.block(), BlockSummary.Kind.MEANS, exact);
    this.layout = new CacheLayout(kernel, spec.kvHeads(), spec.kvHeads(), dim, dim, 0, summary);
    this.queries = weights.projection("q", spec.queryCols(), width, spec.biased());
    this.keys = weights.projection("k", spec.keyCols(), width, spec.biased());
    this.values = weights.projection("v", spec.keyCols(), width, spec.biased());
    this.gates = weights.projection("gate", spec.heads() * SparseSpec.BRANCHES, width);
    this.output = weights.projection("o", site.outputs(), spec.queryCols());
    this.rope = RopeChoice.of(spec.rope(), site.context());
    this.heads = new Heads(spec.kvHeads(), spec.group());
    var traits = new Traits(dim, dim, spec.scale(), 0);
    var weighing = new Weighing(exact, traits, spec.group(), UNBIASED);
    this.chosen = new ChosenBlocks(spec.block(), spec.top(), dim, weighing);
    this.blocks = new AttentionTiles(kernel, traits, heads, NearKeys.ALL, UNBIASED);
    var window = new NearKeys(spec.window(), 0);
    this.near =
        spec.window() == 0 ? null : new AttentionTiles(kernel, traits, heads, window, UNBIASED);
  }

  @Override
  public KeyValueCache newState(int limit) {
    return new KeyValueCache(layout, limit, rope.at(limit));
  }

  @Override
  public int variant(int limit) {
    return rope.variant(limit);
  }

  @Override
  public long bytesPerToken() {
    return layout.bytesPerToken();
  }

  @Override
  public long windowBytes() {
    return layout.windowBytes(Reach.ALL);
  }

  @Override
  public void forward(Pass pass, Batch<KeyValueCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix q = frame.matrix(rows, spec.queryCols());
      Matrix k = frame.matrix(rows, spec.keyCols());
      Matrix v = frame.matrix(rows, spec.keyCols());
      Matrix gate = frame.matrix(rows, gates.outputs());
      pass.run(
          queries.task(pass, x, q),
          keys.task(pass, x, k),
          values.task(pass, x, v),
          gates.task(pass, x, gate));
      if (spec.rope() != null) {
        Rope.turn(pass, batch, KeyValueCache::rope, q, k, spec.headDim());
      }
      for (Run<KeyValueCache> run : batch.runs()) {
        run.state().append(pass, k, v, run.from(), run.length());
      }
      Matrix o = frame.matrix(rows, spec.queryCols());
      Matrix one = frame.matrix(rows, spec.queryCols());
      pass.eachRow(
          rows,
          gate.cols() + o.cols(),
          (from, to, worker) -> {
            int count = (to - from) * gate.cols();
            kernels.activations().apply(Activation.SIGMOID, gate.data(), gate.at(from), count);
            Arrays.fill(o.data(), o.at(from), o.at(to), 0);
          });
      List<Tile> tiles = chosen.attend(pass, batch.runs(), q, heads, one);
      add(pass, 0, gate, one, o);
      blocks.attendTiles(pass, batch.runs(), tiles, q, one);
      add(pass, 1, gate, one, o);
      if (near != null) {
        near.attend(pass, batch, q, one);
        add(pass, 2, gate, one, o);
      }
      batch.runs().forEach(run -> run.state().forget(run));
      output.apply(pass, o, y);
    }
  }

  /** Adds what one way of attending gives. */
  private void add(Pass pass, int branch, Matrix gate, Matrix one, Matrix o) {
    int dim = spec.headDim();
    pass.eachRow(
        o.rows(),
        o.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            for (int head = 0; head < spec.heads(); head++) {
              float weight = gate.data()[gate.at(row) + head * SparseSpec.BRANCHES + branch];
              int at = o.at(row) + head * dim;
              kernels.activations().addScaled(weight, one.data(), at, o.data(), at, dim);
            }
          }
        });
  }

  /** The type {@code native-sparse-attention}; its settings are those of {@link SparseSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "native-sparse-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new NativeSparseAttention(SparseSpec.read(settings, site.context()), site);
    }
  }
}
