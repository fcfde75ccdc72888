package dev.apus.attention.linearized;

import dev.apus.attention.linear.Denominator;
import dev.apus.attention.linear.FeatureMap;
import dev.apus.attention.rope.Rope;
import dev.apus.attention.softmax.RecentRows;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.ArrayList;
import java.util.List;

/**
 * Softmax attention to the tokens of a window and a linear memory in one head: what is made of the
 * attention of a trained model, so that its state no longer grows.
 *
 * <pre>
 *   near:  a_s = e^(scale · q_t·k_s − m),  m the greatest in the window        t − window &lt; s ≤ t
 *   DENOMINATOR (LoLCATs)
 *          o_t = (γ Σ_near a_s v_s + λ Σ_far φ(q_t)·φ(k_s) v_s)
 *                / (γ Σ_near a_s + λ Σ_far φ(q_t)·φ(k_s))                      far: s ≤ t − window
 *          γ = σ(mix) for each head,  λ = 1 or 1 − γ
 *   SUM (Liger)
 *          o_t = share · Σ_near a_s v_s / Σ_near a_s + (1 − share) · S_tᵀφ(q_t)
 *          S ← diag(σ(k)^(1 / root)) S + φ(k) ⊗ v
 * </pre>
 *
 * <p>Queries and keys are turned (RoPE) for the window; the memory has features of them as they are
 * turned in the first form, and before in the second.
 *
 * @see <a href="https://arxiv.org/abs/2410.10254">LoLCATs</a>
 * @see <a href="https://arxiv.org/abs/2503.01496">Liger</a>
 */
public final class LinearizedAttention implements SequenceMixer<RecurrentState> {

  /** The regions of a state. */
  private static final int MEMORY = 0;

  private static final int KEYS = 1;
  private static final int LATE_KEYS = 3;
  private static final int LATE_VALUES = 4;

  private final LinearizedSpec spec;
  private final Kernels kernels;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection output;
  private final FeatureMap queryMap;
  private final FeatureMap keyMap;
  private final MatrixMemory.Shape memory;
  private final SlidingCache cache;
  private final Window window;
  private final Rope rope;
  private final RecentRows lateKeys;
  private final RecentRows lateValues;

  LinearizedAttention(LinearizedSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    this.spec = spec;
    this.kernels = site.kernels();
    this.queries = weights.projection("q", spec.queryCols(), width);
    this.keys = weights.projection("k", spec.keyCols(), width);
    this.values = weights.projection("v", spec.keyCols(), width);
    this.output = weights.projection("o", width, spec.queryCols());
    this.queryMap = spec.features().ofQueries(spec.heads(), spec.headDim(), weights);
    this.keyMap = spec.features().ofKeys(spec.heads(), spec.kvHeads(), spec.headDim(), weights);
    this.memory =
        new MatrixMemory.Shape(
            queryMap.features(),
            spec.memoryCols(),
            spec.root() > 0 ? Decay.PER_KEY : Decay.NONE,
            MatrixMemory.Write.ADD);
    var kernel = site.steadyAttention("linearized attention");
    this.cache = new SlidingCache(kernel, KEYS, spec.kvHeads(), spec.headDim(), spec.window());
    float[] mix = spec.isJoined() ? weights.vector("mix", spec.heads(), new Typical(-1, 1)) : null;
    this.window = new Window(kernel, spec, cache, mix);
    this.rope = spec.rope() == null ? null : Rope.of(spec.rope(), site.context());
    int mapped = spec.features().eachHead() ? spec.heads() : spec.kvHeads();
    this.lateKeys = new RecentRows(LATE_KEYS, spec.window(), mapped * queryMap.features());
    this.lateValues =
        new RecentRows(LATE_VALUES, spec.window(), spec.kvHeads() * spec.memoryCols());
  }

  @Override
  public RecurrentState newState(int limit) {
    if (limit > keyMap.longest()) {
      throw new IllegalArgumentException(
          "a sequence of "
              + limit
              + " tokens: the features of this layer tell at most "
              + keyMap.longest()
              + " apart");
    }
    List<Region> regions = new ArrayList<>();
    regions.add(Region.of(spec.heads(), memory));
    regions.add(cache.keyMemory());
    regions.add(cache.valueMemory());
    if (spec.isJoined()) {
      regions.add(lateKeys.memory());
      regions.add(lateValues.memory());
    }
    return RecurrentState.of(regions.toArray(Region[]::new));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix q = frame.matrix(rows, queries.outputs());
      Matrix k = frame.matrix(rows, keys.outputs());
      Matrix v = frame.matrix(rows, values.outputs());
      pass.run(queries.task(pass, x, q), keys.task(pass, x, k), values.task(pass, x, v));
      if (spec.isJoined()) {
        turn(pass, batch, q, k);
      }
      Matrix gates = spec.root() > 0 ? gates(pass, copy(frame, k)) : null;
      Matrix fq = queryMap.apply(pass, frame, batch, copy(frame, q)).values();
      Matrix fk = keyMap.apply(pass, frame, batch, copy(frame, k)).values();
      if (!spec.isJoined()) {
        turn(pass, batch, q, k);
      }
      Matrix far = frame.matrix(rows, spec.heads() * memory.valueDim());
      if (spec.isJoined()) {
        Matrix wide = new Denominator(spec.heads(), spec.headDim(), 0).widened(pass, frame, v);
        Matrix late = late(pass, frame, batch, lateKeys, fk);
        Matrix lateWide = late(pass, frame, batch, lateValues, wide);
        remember(pass, batch, fq, late, lateWide, null, far);
      } else {
        remember(pass, batch, fq, fk, v, gates, far);
      }
      Matrix o = frame.matrix(rows, output.inputs());
      window.attend(pass, batch, q, k, v, far, o);
      batch.runs().forEach(run -> run.state().changed());
      output.apply(pass, o, y);
    }
  }

  private static Matrix copy(Pass.Frame frame, Matrix x) {
    Matrix copy = frame.matrix(x.rows(), x.cols());
    System.arraycopy(x.data(), 0, copy.data(), 0, x.at(x.rows()));
    return copy;
  }

  private void turn(Pass pass, Batch<RecurrentState> batch, Matrix q, Matrix k) {
    if (rope != null) {
      Rope.turn(pass, batch, state -> rope, q, k, spec.headDim());
    }
  }

  /** Makes {@code σ(k)^(1 / root) = e^(−softplus(−k) / root)} of keys. */
  private Matrix gates(Pass pass, Matrix k) {
    pass.eachRow(
        k.rows(),
        16 * k.cols(),
        (from, to, worker) -> {
          int at = k.at(from);
          int count = k.at(to) - at;
          for (int i = at; i < at + count; i++) {
            k.data()[i] = -k.data()[i];
          }
          kernels.activations().apply(Activation.SOFTPLUS, k.data(), at, count);
          for (int i = at; i < at + count; i++) {
            k.data()[i] /= -spec.root();
          }
          kernels.activations().apply(Activation.EXP, k.data(), at, count);
        });
    return k;
  }

  /** The rows of as many tokens before as the window has, zeros before the first. */
  private Matrix late(
      Pass pass, Pass.Frame frame, Batch<RecurrentState> batch, RecentRows recent, Matrix x) {
    Matrix late = frame.matrix(x.rows(), x.cols());
    for (Run<RecurrentState> run : batch.runs()) {
      run.state().keep(recent.region());
      pass.eachRow(
          run.length(),
          x.cols(),
          (from, to, worker) -> {
            for (int i = from; i < to; i++) {
              int at = late.at(run.from() + i);
              recent.copy(run, i - spec.window(), x, 0, x.cols(), late.data(), at);
            }
          });
      recent.advance(run, x);
    }
    return late;
  }

  private void remember(
      Pass pass, Batch<RecurrentState> batch, Matrix q, Matrix k, Matrix v, Matrix d, Matrix o) {
    batch.eachPart(
        pass,
        spec.heads(),
        (run, head, worker) -> {
          var in =
              new Inputs(
                  rows(q, run, head, memory.keyDim()),
                  rows(k, run, head, memory.keyDim()),
                  rows(v, run, head, memory.valueDim()),
                  d == null ? null : rows(d, run, head, memory.keyDim()),
                  null);
          Rows read = rows(o, run, head, memory.valueDim());
          run.state().remember(pass, worker, MEMORY, head, run.length(), in, read);
        });
  }

  /** A run's rows of one head, of which neighbours share where there are fewer. */
  private Rows rows(Matrix x, Run<RecurrentState> run, int head, int dim) {
    int group = spec.heads() / (x.cols() / dim);
    return x.from(run.from(), head / group * dim);
  }

  /** The type {@code linearized-attention}; its settings are those of {@link LinearizedSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "linearized-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new LinearizedAttention(LinearizedSpec.read(settings, site.context()), site);
    }
  }
}
