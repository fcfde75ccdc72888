package dev.apus.attention.linear;

import dev.apus.attention.linear.FeatureMap.Features;
import dev.apus.attention.linear.LinearSpec.NormOver;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.ArrayList;
import java.util.List;

/**
 * Linear attention, with features of queries and keys, a sum of weights that is divided by, and
 * heads that forget at constant rates, as in retention and lightning attention.
 *
 * <pre>
 *   q, k, v = f(W_qkv x)
 *   S ← λ S + φ(k) ⊗ v      z ← λ z + φ(k)             λ constant for each head
 *   o = scale · Sᵀφ(q)  or  scale · Sᵀφ(q) / (scale · z·φ(q) + ε)
 *   y = W_o (norm(o) ⊙ g(W_g x))
 * </pre>
 *
 * <p>The memory kernel has a form for single tokens and one for many; they add up in different
 * orders.
 *
 * @see <a href="https://arxiv.org/abs/2006.16236">Transformers are RNNs</a>
 * @see <a href="https://arxiv.org/abs/2307.08621">Retentive Network</a>
 * @see <a href="https://arxiv.org/abs/2401.04658">Lightning Attention-2</a>
 */
public final class LinearAttention implements SequenceMixer<RecurrentState> {

  private final LinearSpec spec;
  private final MatrixMemory.Shape memory;
  private final Kernels kernels;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection gate;
  private final Projection output;
  private final Normalization norm;
  private final float[] decay;
  private final FeatureMap queryMap;
  private final FeatureMap keyMap;
  private final GreatestScale greatest;

  LinearAttention(LinearSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    int heads = spec.heads();
    int kvHeads = spec.kvHeads();
    int keyDim = spec.keyDim();
    int valueCols = heads * spec.valueDim();
    this.spec = spec;
    this.kernels = site.kernels();
    this.queries = weights.projection("q", heads * keyDim, width);
    this.keys = weights.projection("k", kvHeads * keyDim, width);
    this.values = weights.projection("v", kvHeads * spec.valueDim(), width);
    this.gate = spec.gate() == null ? null : weights.projection("gate", valueCols, width);
    this.output = weights.projection("o", width, valueCols);
    int normed = spec.normOver() == NormOver.HEAD ? spec.valueDim() : valueCols;
    this.norm = Normalization.of(spec.norm(), "norm", normed, weights);
    this.decay = spec.decay() == null ? null : spec.decay().factors(heads);
    FeatureSpec features = spec.features();
    this.queryMap = features == null ? null : features.ofQueries(heads, keyDim, weights);
    this.keyMap = features == null ? null : features.ofKeys(heads, kvHeads, keyDim, weights);
    this.greatest = spec.isScaled() ? new GreatestScale(kvHeads, 1) : null;
    this.memory =
        new MatrixMemory.Shape(
            spec.memoryRows(),
            spec.memoryCols(),
            decay == null && greatest == null ? Decay.NONE : Decay.SCALAR,
            MatrixMemory.Write.ADD);
  }

  @Override
  public RecurrentState newState(int limit) {
    if (keyMap != null && limit > keyMap.longest()) {
      throw new IllegalArgumentException(
          "a sequence of "
              + limit
              + " tokens: the features of this layer tell at most "
              + keyMap.longest()
              + " apart");
    }
    Region memories = new Region(spec.heads(), (long) memory.keyDim() * memory.valueDim());
    return greatest == null
        ? RecurrentState.of(memories)
        : RecurrentState.of(memories, greatest.memory());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public int grain() {
    return MatrixMemory.SHORTEST_CHUNKED;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix q = frame.matrix(rows, queries.outputs());
      Matrix k = frame.matrix(rows, keys.outputs());
      Matrix v = frame.matrix(rows, values.outputs());
      Matrix gates = gate == null ? null : frame.matrix(rows, gate.outputs());
      List<Divisible> tasks = new ArrayList<>();
      tasks.add(queries.task(pass, x, q));
      tasks.add(keys.task(pass, x, k));
      tasks.add(values.task(pass, x, v));
      if (gate != null) {
        tasks.add(gate.task(pass, x, gates));
      }
      pass.run(tasks.toArray(Divisible[]::new));
      activate(pass, q, k, v);
      Features fq =
          queryMap == null ? new Features(q, null) : queryMap.apply(pass, frame, batch, q);
      Features fk = keyMap == null ? new Features(k, null) : keyMap.apply(pass, frame, batch, k);
      scale(pass, fq.values());
      Matrix decays = decays(pass, frame, batch, fk);
      Matrix o = frame.matrix(rows, output.inputs());
      Denominator denominator = spec.denominator();
      if (denominator == null) {
        remember(pass, batch, fq.values(), fk.values(), v, decays, o);
      } else {
        Matrix wide = denominator.widened(pass, frame, v);
        Matrix sums = frame.matrix(rows, spec.heads() * memory.valueDim());
        remember(pass, batch, fq.values(), fk.values(), wide, decays, sums);
        denominator.divide(pass, sums, o);
      }
      batch.runs().forEach(run -> run.state().changed());
      normalize(pass, o);
      if (gate != null) {
        gate(pass, gates, o);
      }
      output.apply(pass, o, y);
    }
  }

  private void activate(Pass pass, Matrix... inputs) {
    if (spec.activation() == Activation.IDENTITY) {
      return;
    }
    for (Matrix x : inputs) {
      pass.eachRow(
          x.rows(),
          8 * x.cols(),
          (from, to, worker) ->
              kernels
                  .activations()
                  .apply(spec.activation(), x.data(), x.at(from), x.at(to) - x.at(from)));
    }
  }

  private void scale(Pass pass, Matrix q) {
    if (spec.scale() == 1) {
      return;
    }
    pass.eachRow(
        q.rows(),
        q.cols(),
        (from, to, worker) -> {
          for (int i = q.at(from); i < q.at(to); i++) {
            q.data()[i] *= spec.scale();
          }
        });
  }

  /** What memories decay by, for each row and head; null for nothing, or for what is constant. */
  private Matrix decays(Pass pass, Pass.Frame frame, Batch<RecurrentState> batch, Features k) {
    if (greatest == null) {
      return null;
    }
    Matrix decays = greatest.apply(pass, frame, batch, k);
    if (decay == null) {
      return decays;
    }
    Matrix product = frame.matrix(decays.rows(), spec.heads());
    int group = spec.heads() / spec.kvHeads();
    for (int i = 0; i < product.rows() * spec.heads(); i++) {
      product.data()[i] = decays.data()[i / group] * decay[i % spec.heads()];
    }
    return product;
  }

  private void remember(
      Pass pass, Batch<RecurrentState> batch, Matrix q, Matrix k, Matrix v, Matrix d, Matrix o) {
    int heads = spec.heads();
    batch.eachPart(
        pass,
        heads,
        (run, head, worker) -> {
          run.state().keep(0, head);
          kernels
              .memory()
              .advance(
                  memory,
                  run.length(),
                  rows(q, run, head, heads, memory.keyDim()),
                  rows(k, run, head, heads, memory.keyDim()),
                  rows(v, run, head, heads, memory.valueDim()),
                  d != null
                      ? rows(d, run, head, heads, 1)
                      : decay == null ? null : new Rows(decay, head, 0),
                  null,
                  run.state().segment(),
                  run.state().at(0, head),
                  rows(o, run, head, heads, memory.valueDim()),
                  pass.scratch(worker, kernels.memory().scratchFloats(memory)));
        });
  }

  /**
   * A run's rows of one of {@code heads} heads, of which neighbours share where there are fewer.
   */
  private static Rows rows(Matrix x, Run<RecurrentState> run, int head, int heads, int dim) {
    int group = heads / (x.cols() / dim);
    return new Rows(x.data(), x.at(run.from()) + head / group * dim, x.cols());
  }

  private void normalize(Pass pass, Matrix o) {
    if (norm == null) {
      return;
    }
    if (spec.normOver() == NormOver.ROW) {
      norm.rows(pass, o, o);
    } else {
      int stride = spec.normOver() == NormOver.EACH_HEAD ? spec.valueDim() : 0;
      norm.groups(pass, o, o, spec.heads(), spec.valueDim(), stride);
    }
  }

  private void gate(Pass pass, Matrix gates, Matrix o) {
    pass.eachRow(
        o.rows(),
        8 * o.cols(),
        (from, to, worker) -> {
          int at = o.at(from);
          kernels.activations().gate(spec.gate(), gates.data(), at, o.data(), at, o.at(to) - at);
        });
  }

  /** The type {@code linear-attention}; its settings are those of {@link LinearSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "linear-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new LinearAttention(LinearSpec.read(settings, site.context()), site);
    }
  }
}
