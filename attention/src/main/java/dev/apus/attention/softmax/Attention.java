package dev.apus.attention.softmax;

import dev.apus.attention.rope.RopeChoice;
import dev.apus.attention.softmax.AttentionSpec.NormOver;
import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Output;
import dev.apus.core.model.RoundedInputs;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Adapters;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.CacheFormat;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Softmax attention with grouped heads:
 *
 * <pre>
 *   oᵢ = Σⱼ softmaxⱼ(scale · qᵢ·kⱼ + bias) vⱼ          y = W_o (o ⊙ σ(gate))
 * </pre>
 *
 * <p>Queries and keys may be normalised, clipped and turned (RoPE); a window or another selection
 * of keys, ALiBi, a soft cap on the scores, sinks, a norm of each head's output and an output gate
 * are settings. Heads may come in pairs of which one is taken from the other ({@link
 * HeadDifference}). A {@link DynamicMask} may choose the tokens that are seen. Values may be
 * normalised, and be the keys as the matrix gives them. Where heads forget, {@code f = σ(W_f x +
 * b)} and the bias has {@code log fⱼ₊₁ + … + log fᵢ}. Projections may read rounded rows, as in
 * BitNet. A layer may read the keys and values of another instead of making its own. A causal
 * sequence may be cut into calls anywhere with the same bits; in a run that looks ahead, all keys
 * are there before the first query asks.
 *
 * @see <a href="https://arxiv.org/abs/2305.13245">GQA</a>
 * @see <a href="https://arxiv.org/abs/2503.02130">Forgetting Transformer</a>
 */
public final class Attention implements SequenceMixer<KeyValueCache> {

  /** Of the matrices that may read rounded rows. */
  private static final int OUTPUT = 3;

  private final AttentionSpec spec;
  private final Kernels kernels;
  private final dev.apus.kernels.attention.Attention kernel;
  private final CacheLayout layout;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection gateLatents;
  private final Projection gates;
  private final Projection forgetGates;

  /** Before the matrices of queries, keys, values and outputs; or null. */
  private final RoundedInputs[] rounded;

  private final Output output;
  private final Adapters adapters;
  private final Preparation preparation;
  private final Normalization outNorm;
  private final KeySelection selection;
  private final Normalization valueNorm;
  private final DynamicMask mask;
  private final HeadDifference difference;
  private final AttentionTiles tiles;
  private final RopeChoice rope;

  /** Whose keys and values it reads: its own, or another layer's. */
  private final Attention keeper;

  /** What is asked of its keys and values, by itself and by those who read them, too. */
  private Reach reach;

  /** Who reads its keys and values last in a pass. */
  private Attention lastReader = this;

  /**
   * @param keeper whose keys and values it reads instead of making its own, or null
   */
  Attention(AttentionSpec spec, Site site, Attention keeper) {
    WeightScope weights = site.weights();
    this.spec = spec;
    this.kernels = site.kernels();
    this.kernel = kernels.attention(site.cache());
    int width = site.inputs();
    int queryCols = spec.heads() * spec.headDim();
    int keyCols = spec.kvHeads() * spec.headDim();
    int valueCols = spec.valueHeads() * spec.valueDim();
    int outCols = spec.outHeads() * spec.valueDim();
    boolean keeps = keeper == null;
    this.queries = weights.projection("q", queryCols, width, spec.biased());
    this.keys = keeps ? weights.projection("k", keyCols, width, spec.biased()) : null;
    this.values =
        keeps && !spec.keysAreValues()
            ? weights.projection("v", valueCols, width, spec.biased())
            : null;
    int rank = spec.gateRank();
    this.gateLatents = rank > 0 ? weights.projection("gate.latent", rank, width) : null;
    this.gates = spec.gated() ? weights.projection("gate", outCols, rank > 0 ? rank : width) : null;
    this.forgetGates =
        spec.forgets() && keeps ? weights.projection("f", spec.heads(), width, true) : null;
    this.rounded = spec.rounded() == null ? null : rounded(width, outCols, keeps, weights);
    this.output = Output.of(spec.projected(), site, outCols, spec.outBiased());
    this.adapters = Adapters.of(weights, width, spec.adapter());
    if (adapters != null) {
      adapters.to("q", queryCols);
    }
    if (adapters != null && keeps) {
      adapters.to("k", keyCols).to("v", valueCols);
    }
    Normalization queryNorm = norm("q.norm", queryCols, weights);
    Normalization keyNorm = keeps ? norm("k.norm", keyCols, weights) : null;
    this.outNorm = Normalization.of(spec.outNorm(), "o.norm", spec.valueDim(), weights);
    this.valueNorm =
        keeps ? Normalization.of(spec.valueNorm(), "v.norm", spec.valueDim(), weights) : null;
    this.mask =
        spec.keep() > 0 && keeps
            ? new DynamicMask(spec.kvHeads(), valueCols, spec.biased(), weights)
            : null;
    this.difference =
        HeadDifference.of(spec.difference(), spec.heads(), spec.headDim(), spec.valueDim(), site);
    float[] slopes = spec.alibi() == 0 ? null : Alibi.slopes(spec.heads(), spec.alibi());
    float[] sinks = spec.sinks() ? weights.vector("sinks", spec.heads(), Typical.BIAS) : null;
    var traits = new Traits(spec.headDim(), spec.valueDim(), spec.scale(), spec.softcap());
    var heads = new Heads(spec.kvHeads(), spec.group());
    var biases = new Biases(slopes, sinks, 0);
    boolean shares = !keeps || spec.valueHeads() != spec.kvHeads();
    boolean placed = spec.forgets() || slopes != null;
    int index = site.layer();
    var layer =
        new Selections.Layer(index, site.layers(), heads, kernel, traits, biases, placed, shares);
    this.selection = spec.keep() > 0 ? new GreatestScores(spec.keep()) : spec.select().make(layer);
    this.preparation = new Preparation(spec, queryNorm, keyNorm, selection.farPosition());
    this.layout = layout(kernel, kernels.attention(CacheFormat.F32), spec, selection);
    this.tiles = new AttentionTiles(kernel, traits, heads, selection, biases);
    this.reach = selection.reach();
    this.rope = RopeChoice.of(spec.rope(), site.context());
    this.keeper = keeps ? this : keeper;
    if (!keeps) {
      keeper.reach = keeper.reach.or(reach);
      keeper.lastReader = this;
    }
  }

  private static CacheLayout layout(
      dev.apus.kernels.attention.Attention kernel,
      dev.apus.kernels.attention.Attention exact,
      AttentionSpec spec,
      KeySelection selection) {
    int forgetting = spec.forgets() || spec.keep() > 0 ? spec.group() : 0;
    BlockSummary summary = selection.summary(exact);
    return new CacheLayout(
        kernel,
        spec.kvHeads(),
        spec.valueHeads(),
        spec.headDim(),
        spec.valueDim(),
        forgetting,
        summary);
  }

  private RoundedInputs[] rounded(int width, int outCols, boolean keeps, WeightScope weights) {
    return new RoundedInputs[] {
      RoundedInputs.of(spec.rounded(), "q", width, weights),
      keeps ? RoundedInputs.of(spec.rounded(), "k", width, weights) : null,
      keeps ? RoundedInputs.of(spec.rounded(), "v", width, weights) : null,
      spec.projected() ? RoundedInputs.of(spec.rounded(), "o", outCols, weights) : null
    };
  }

  private Normalization norm(String name, int cols, WeightScope weights) {
    int size = spec.normOver() == NormOver.HEAD ? spec.headDim() : cols;
    return Normalization.of(spec.norm(), name, size, weights);
  }

  @Override
  public KeyValueCache newState(int limit) {
    int capacity = selection.capacity(limit);
    PolicyMemory memory = selection.newMemory(limit);
    return new KeyValueCache(layout, reach, capacity, rope.at(limit), memory);
  }

  @Override
  public int variant(int limit) {
    return rope.variant(limit);
  }

  @Override
  public Set<Visibility> visibilities() {
    // What is forgotten between a token and one after it has no meaning; what settles stays.
    if (spec.forgets() || kernel.format().settles() || !selection.looksAhead()) {
      return Set.of(Visibility.CAUSAL);
    }
    Set<Visibility> all = EnumSet.allOf(Visibility.class);
    if (!selection.seesTogether()) {
      all.remove(Visibility.TOGETHER);
    }
    return all;
  }

  @Override
  public int grain() {
    return selection.grain();
  }

  @Override
  public boolean endsShow() {
    return selection.endsShow();
  }

  @Override
  public void rest(Pass pass, KeyValueCache state) {
    selection.rest(pass, state);
  }

  @Override
  public long bytesPerToken() {
    return selection.isBounded() ? 0 : layout.bytesPerToken(reach);
  }

  @Override
  public long windowBytes() {
    return selection.isBounded()
        ? layout.bytes(layout.blocks(selection.capacity(Integer.MAX_VALUE)))
        : layout.windowBytes(reach);
  }

  @Override
  public void forward(Pass pass, Batch<KeyValueCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix q = frame.matrix(rows, queries.outputs());
      boolean turnsFar = spec.rope() != null && selection.farPosition() >= 0;
      Matrix far = turnsFar ? frame.matrix(rows, queries.outputs()) : q;
      Matrix o = output.inner(frame, y);
      Matrix found = difference == null ? o : frame.matrix(rows, spec.heads() * spec.valueDim());
      if (keys == null) {
        project(pass, x, q);
        preparation.apply(pass, batch, q, far, null);
        tiles.attend(pass, batch.runs(), q, far, found);
      } else {
        Matrix k = frame.matrix(rows, keys.outputs());
        Matrix v = frame.matrix(rows, spec.valueHeads() * spec.valueDim());
        if (values == null) {
          project(pass, x, q, k);
          System.arraycopy(k.data(), 0, v.data(), 0, rows * k.cols());
        } else {
          project(pass, x, q, k, v);
        }
        if (valueNorm != null) {
          valueNorm.groups(pass, v, v, spec.valueHeads(), spec.valueDim(), 0);
        }
        preparation.apply(pass, batch, q, far, k);
        preparation.clip(pass, v);
        Matrix kept =
            forgetGates == null ? null : ForgetGate.logarithms(pass, frame, forgetGates, x);
        if (mask == null) {
          tiles.append(pass, batch, q, far, k, v, kept, found);
        } else {
          Matrix scores = mask.scores(pass, frame, v);
          for (Run<KeyValueCache> run : batch.runs()) {
            run.state().storeScored(pass, k, v, scores, run);
          }
          tiles.attend(pass, batch, q, found);
        }
      }
      if (difference != null) {
        difference.apply(pass, found, o);
      }
      if (outNorm != null) {
        outNorm.groups(pass, o, o, spec.outHeads(), spec.valueDim(), 0);
      }
      if (keeper.lastReader == this) {
        for (Run<KeyValueCache> run : batch.runs()) {
          run.state().forget(run);
        }
      }
      if (gates != null) {
        gate(pass, frame, x, o);
      }
      if (rounded == null || rounded[OUTPUT] == null) {
        output.apply(pass, o, y);
      } else {
        rounded[OUTPUT].apply(pass, o, y, (from, to) -> output.apply(pass, from, to));
      }
    }
  }

  /** Computes queries, or queries and keys, or values as well. */
  private void project(Pass pass, Matrix x, Matrix... ys) {
    Projection[] matrices = {queries, keys, values};
    Divisible[] tasks = new Divisible[ys.length];
    for (int i = 0; i < ys.length; i++) {
      Projection matrix = matrices[i];
      if (rounded == null) {
        tasks[i] = matrix.task(pass, x, ys[i]);
      } else {
        rounded[i].apply(pass, x, ys[i], (from, to) -> matrix.apply(pass, from, to));
      }
    }
    if (rounded == null) {
      pass.run(tasks);
    }
    if (adapters != null) {
      adapters.add(pass, x, ys);
    }
  }

  private void gate(Pass pass, Pass.Frame frame, Matrix x, Matrix o) {
    Matrix gate = frame.matrix(o.rows(), o.cols());
    Matrix made = x;
    if (gateLatents != null) {
      made = frame.matrix(x.rows(), gateLatents.outputs());
      gateLatents.apply(pass, x, made);
    }
    gates.apply(pass, made, gate);
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
    public boolean takesSelection(Map<String, Object> settings) {
      boolean chooses = settings.containsKey("select") || settings.containsKey("keep");
      return !chooses && settings.getOrDefault("window", 0).equals(0);
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
                + " values are read, and so must heads be where it forgets");
      }
      Attention reader = new Attention(spec, site, keeper);
      BlockSummary needed = reader.selection.summary(null);
      boolean there = Objects.equals(needed, keeper.selection.summary(null));
      if (needed != null && !there && !(reader.selection instanceof QuestKeys)) {
        throw settings.error(
            "stateOf: the layer whose keys are read must know the same of blocks of keys; select"
                + " must be the same there");
      }
      return reader;
    }

    private static AttentionSpec spec(Config settings, Site site) {
      return AttentionSpec.read(settings, site.context());
    }
  }
}
