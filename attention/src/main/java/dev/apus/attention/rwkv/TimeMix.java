package dev.apus.attention.rwkv;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.List;

/**
 * The time mixing of RWKV-5 and RWKV-6: heads with a matrix memory, each of whose keys fades at a
 * rate of its own.
 *
 * <pre>
 *   r, k, v, g = W_r x_r, W_k x_k, W_v x_v, W_g x_g              {@link ShiftedRows}
 *   D = exp(−e^d)                                                constant: RWKV-5
 *   D = exp(−e^(d + B tanh(A x_w)))                              from the data: RWKV-6
 *   o = Sᵀr + (r · (u ⊙ k)) v       S ← D ⊙ S + k ⊗ v
 *   y = W_o (norm(o) ⊙ f(g))
 * </pre>
 *
 * <p>Transformers that were converted to RWKV-6 have no bonus u: they read {@code o = Sᵀr} when the
 * token has been written, and may balance what is written with what is forgotten, with {@code k ⊙
 * (1 − D)} for k.
 *
 * @see <a href="https://arxiv.org/abs/2404.05892">Eagle and Finch</a>
 * @see <a href="https://arxiv.org/abs/2505.03005">RADLADS</a>
 */
public final class TimeMix implements SequenceMixer<RecurrentState> {

  /** The regions of a state. */
  private static final int SHIFT = 0;

  private static final int MEMORY = 1;

  private final TimeMixSpec spec;
  private final MatrixMemory.Shape memory;
  private final ShiftedRows shifted;
  private final Projection receptance;
  private final Projection key;
  private final Projection value;
  private final Projection gate;
  private final Projection output;
  private final Normalization norm;
  private final float[] bonus;

  private final KeyDecays decays;

  private TimeMix(TimeMixSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    int keys = spec.kvHeads() * spec.keyDim();
    int values = spec.kvHeads() * spec.valueDim();
    this.spec = spec;
    this.memory = spec.memory();
    this.shifted = new ShiftedRows(weights, width, spec.order(), spec.shareRank());
    this.receptance = weights.projection("r", spec.keyCols(), width, spec.biased());
    this.key = weights.projection("k", keys, width, spec.biased());
    this.value = weights.projection("v", values, width, spec.biased());
    this.gate = weights.projection("g", spec.valueCols(), width);
    this.output = weights.projection("o", width, spec.valueCols());
    this.norm = Normalization.of(spec.norm(), "norm", spec.valueCols(), weights);
    this.bonus = spec.bonus() ? weights.vector("bonus", spec.keyCols(), new Typical(0, 1)) : null;
    this.decays =
        new KeyDecays(
            weights,
            site.kernels().activations(),
            spec.keyCols(),
            width,
            spec.decayRank(),
            spec.leastLogDecay());
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(shifted.region(), Region.of(spec.heads(), memory));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      List<Matrix> in = shifted.of(pass, frame, batch, SHIFT, x);
      Matrix r = frame.matrix(rows, receptance.outputs());
      Matrix k = frame.matrix(rows, key.outputs());
      Matrix v = frame.matrix(rows, value.outputs());
      Matrix g = frame.matrix(rows, gate.outputs());
      pass.run(
          receptance.task(pass, in.get(spec.order().indexOf('r')), r),
          key.task(pass, in.get(spec.order().indexOf('k')), k),
          value.task(pass, in.get(spec.order().indexOf('v')), v),
          gate.task(pass, in.get(spec.order().indexOf('g')), g));
      Matrix kept =
          decays.constant() == null
              ? decays.of(pass, frame, in.get(spec.order().indexOf('w')))
              : new Matrix(decays.constant(), 1, spec.keyCols());
      scale(pass, r);
      Matrix written = spec.balanced() ? balanced(pass, frame, k, kept) : k;
      Matrix o = frame.matrix(rows, spec.valueCols());
      remember(pass, batch, r, written, v, kept, o);
      batch.runs().forEach(run -> run.state().changed());
      if (norm != null) {
        norm.groups(pass, o, o, spec.heads(), spec.valueDim(), spec.valueDim());
      }
      gate(pass, g, o);
      output.apply(pass, o, y);
    }
  }

  private void scale(Pass pass, Matrix r) {
    if (spec.scale() == 1) {
      return;
    }
    pass.eachRow(
        r.rows(),
        r.cols(),
        (from, to, worker) -> {
          for (int i = r.at(from); i < r.at(to); i++) {
            r.data()[i] *= spec.scale();
          }
        });
  }

  /** {@code k ⊙ (1 − D)} for each head, also where heads share their keys. */
  private Matrix balanced(Pass pass, Pass.Frame frame, Matrix k, Matrix kept) {
    Matrix all = frame.matrix(k.rows(), spec.keyCols());
    int dim = spec.keyDim();
    int shared = spec.heads() / spec.kvHeads();
    pass.eachRow(
        k.rows(),
        2 * all.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int keptAt = kept.rows() == 1 ? 0 : kept.at(row);
            for (int head = 0; head < spec.heads(); head++) {
              int kAt = k.at(row) + head / shared * dim;
              for (int i = 0; i < dim; i++) {
                int at = head * dim + i;
                all.data()[all.at(row) + at] = k.data()[kAt + i] * (1 - kept.data()[keptAt + at]);
              }
            }
          }
        });
    return all;
  }

  private void remember(
      Pass pass, Batch<RecurrentState> batch, Matrix r, Matrix k, Matrix v, Matrix kept, Matrix o) {
    int shared = spec.heads() / spec.kvHeads();
    batch.eachPart(
        pass,
        spec.heads(),
        (run, head, worker) -> {
          Rows decay =
              decays.constant() == null
                  ? kept.from(run.from(), head * spec.keyDim())
                  : new Rows(kept.data(), head * spec.keyDim(), 0);
          Inputs in =
              new Inputs(
                  r.from(run.from(), head * spec.keyDim()),
                  k.from(run.from(), (spec.balanced() ? head : head / shared) * spec.keyDim()),
                  v.from(run.from(), head / shared * spec.valueDim()),
                  decay,
                  null);
          run.state()
              .remember(
                  pass,
                  worker,
                  MEMORY,
                  head,
                  run.length(),
                  bonus == null ? in : in.bonus(new Rows(bonus, head * spec.keyDim(), 0)),
                  o.from(run.from(), head * spec.valueDim()));
        });
  }

  private void gate(Pass pass, Matrix g, Matrix o) {
    pass.eachRow(
        o.rows(),
        8 * o.cols(),
        (from, to, worker) -> {
          int at = o.at(from);
          pass.kernels().activations().gate(spec.gate(), g.data(), at, o.data(), at, o.at(to) - at);
        });
  }

  /** The type {@code rwkv-time-mix}; its settings are those of {@link TimeMixSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "rwkv-time-mix";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new TimeMix(TimeMixSpec.read(settings), site);
    }
  }
}
