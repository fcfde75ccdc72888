package dev.apus.ssm.mamba3;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;

/**
 * Mamba-3: a decaying matrix memory whose input is integrated by the trapezoidal rule, and whose
 * keys and queries turn by angles that depend on the tokens, which makes its state complex.
 *
 * <pre>
 *   Δ = softplus(W_dt x + dtBias)    α = exp(−Δ · max(softplus(W_a x), decayFloor))    λ = σ(W_trap x)
 *   θ ← θ + Δ π tanh(W_angle x)      k = R(θ) (rms(W_b x) + bBias)      q = R(θ) (rms(W_c x) + cBias)
 *   S ← α S + α Δ (1 − λ) k′ ⊗ v′ + Δ λ k ⊗ v        k′, v′: of the token before      v = W_x x
 *   y = W_o ((Sᵀ q + D v) ⊙ silu(W_z x))
 * </pre>
 *
 * <p>With γ = Δλ, S is a memory M of all tokens but the last, and γ k ⊗ v. M is a {@link
 * dev.apus.kernels.memory.MatrixMemory} whose writes come one token late,
 *
 * <pre>
 *   M ← α M + α (γ′ + Δ (1 − λ)) k′ ⊗ v′        Sᵀ q = Mᵀ q + γ (k · q) v
 * </pre>
 *
 * so a token writes once. {@code k · q}, which does not depend on θ, is the sum of four partial
 * sums, value i in sum i mod 4.
 *
 * @see <a href="https://openreview.net/forum?id=HwCvaJOiCj">Mamba-3</a>
 */
public final class Mamba3 implements SequenceMixer<RecurrentState> {

  private final Mamba3Spec spec;
  private final Projection z;
  private final Projection x;
  private final Projection b;
  private final Projection c;
  private final Projection dt;
  private final Projection a;
  private final Projection trap;
  private final Projection angle;
  private final Projection output;
  private final float[] dtBias;
  private final float[] bNorm;
  private final float[] cNorm;
  private final float[] norm;
  private final TurningMemory memory;

  private Mamba3(Mamba3Spec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    boolean biased = spec.biased();
    int heads = spec.heads();
    int keys = spec.groups() * spec.stateSize();
    this.spec = spec;
    this.z = weights.projection("z", spec.inner(), width, biased);
    this.x = weights.projection("x", spec.inner(), width, biased);
    this.b = weights.projection("b", keys, width, biased);
    this.c = weights.projection("c", keys, width, biased);
    this.dt = weights.projection("dt", heads, width, biased);
    this.a = weights.projection("a", heads, width, biased);
    this.trap = weights.projection("trap", heads, width, biased);
    this.angle = weights.projection("angle", spec.angles(), width, biased);
    this.output = weights.projection("o", width, spec.inner(), biased);
    this.dtBias = weights.vector("dtBias", heads, new Typical(-3, 1));
    this.bNorm = weights.vector("bNorm", spec.stateSize(), Typical.NORM);
    this.cNorm = weights.vector("cNorm", spec.stateSize(), Typical.NORM);
    this.norm = spec.outputNorm() ? weights.vector("norm", spec.inner(), Typical.NORM) : null;
    this.memory =
        new TurningMemory(
            spec,
            weights.table("bBias", heads, spec.stateSize(), new Typical(1, 0.5f)),
            weights.table("cBias", heads, spec.stateSize(), new Typical(1, 0.5f)),
            weights.vector("d", heads, new Typical(1, 0.5f)));
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(
        Region.of(spec.heads(), spec.memory()), new Region(spec.heads(), spec.lastFloats()));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix in, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = in.rows();
      int heads = spec.heads();
      Matrix gate = frame.matrix(rows, spec.inner());
      Matrix v = frame.matrix(rows, spec.inner());
      Matrix k = frame.matrix(rows, spec.groups() * spec.stateSize());
      Matrix q = frame.matrix(rows, k.cols());
      Matrix step = frame.matrix(rows, heads);
      Matrix decay = frame.matrix(rows, heads);
      Matrix weight = frame.matrix(rows, heads);
      Matrix rate = frame.matrix(rows, spec.angles());
      pass.run(
          z.task(pass, in, gate),
          x.task(pass, in, v),
          b.task(pass, in, k),
          c.task(pass, in, q),
          dt.task(pass, in, step),
          a.task(pass, in, decay),
          trap.task(pass, in, weight),
          angle.task(pass, in, rate));
      prepare(pass, k, q, step, decay, weight, rate);
      Matrix o = frame.matrix(rows, spec.inner());
      memory.advance(pass, batch, new TurningMemory.Tokens(k, q, v, step, decay, weight, rate), o);
      batch.runs().forEach(run -> run.state().changed());
      finish(pass, gate, o);
      output.apply(pass, o, y);
    }
  }

  /** Turns projections into keys, queries, Δ, α, λ and rates of turning. */
  private void prepare(
      Pass pass, Matrix k, Matrix q, Matrix step, Matrix decay, Matrix weight, Matrix rate) {
    Activations f = pass.kernels().activations();
    var norms = pass.kernels().norms();
    int size = spec.stateSize();
    float epsilon = spec.epsilon();
    pass.eachRow(
        k.rows(),
        4 * k.cols() + 64 * spec.heads(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = k.at(row);
            norms.rms(k.data(), at, spec.groups(), size, bNorm, 0, epsilon, k.data(), at);
            norms.rms(q.data(), at, spec.groups(), size, cNorm, 0, epsilon, q.data(), at);
            f.apply(Activation.TANH, rate.data(), rate.at(row), rate.cols());
            for (int i = rate.at(row); i < rate.at(row + 1); i++) {
              rate.data()[i] *= (float) Math.PI;
            }
            for (int head = 0; head < spec.heads(); head++) {
              step.data()[step.at(row) + head] += dtBias[head];
            }
          }
          int at = step.at(from);
          int end = step.at(to);
          f.apply(Activation.SOFTPLUS, step.data(), at, end - at);
          f.apply(Activation.SOFTPLUS, decay.data(), at, end - at);
          for (int i = at; i < end; i++) {
            decay.data()[i] = -Math.max(decay.data()[i], spec.decayFloor()) * step.data()[i];
          }
          f.apply(Activation.EXP, decay.data(), at, end - at);
          f.apply(Activation.SIGMOID, weight.data(), at, end - at);
        });
  }

  private void finish(Pass pass, Matrix gate, Matrix o) {
    int cols = o.cols();
    var kernels = pass.kernels();
    pass.eachRow(
        o.rows(),
        4 * cols,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = o.at(row);
            if (norm != null) {
              int dim = spec.headDim();
              float[] data = o.data();
              kernels.norms().rms(data, at, spec.heads(), dim, norm, dim, spec.epsilon(), data, at);
            }
            kernels.activations().gate(Activation.SILU, gate.data(), at, o.data(), at, cols);
          }
        });
  }

  /** The type {@code mamba3}; its settings are those of {@link Mamba3Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "mamba3";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new Mamba3(Mamba3Spec.read(settings), site);
    }
  }
}
