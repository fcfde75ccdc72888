package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import java.util.ArrayList;
import java.util.List;

/**
 * Gated DeltaNet: linear attention that forgets by a gate and overwrites by the delta rule.
 *
 * <pre>
 *   q, k, v = silu(conv([W_q, W_k, W_v] x))      q, k of unit length, q / √keyDim
 *   S ← α ⊙ S      u = β (v − Sᵀk)      S ← S + k ⊗ u      o = Sᵀq
 *   y = W_o (rms(o) ⊙ f(W_z x))
 *   α = exp(A · softplus(W_a x + dtBias)),  A &lt; 0      β = betaScale · σ(W_b x)
 * </pre>
 *
 * <p>A head forgets at one rate, or not at all: DeltaNet; or at one rate for each key: Kimi Delta
 * Attention. Its gates come out of a few values each, {@code W_a = W_a₂ W_a₁} and {@code W_z}
 * likewise. Where forgetting has a bound, {@code α = exp(bound · σ(−A (W_a x + dtBias)))}.
 *
 * <p>A token may write several times, with keys, values and strengths for each of these steps,
 * after the memory has decayed once: Gated DeltaProduct. Or it corrects what the memory gave for a
 * key of its own before it decayed, {@code u = β (v − Sᵀp)}: Comba, see {@link Feedback}. Or it
 * erases and writes by strengths of each key and each value: see {@link ChannelGates}.
 *
 * <p>Value heads share queries and keys: {@code valueHeads / keyHeads} neighbours those of one
 * head, or, in turn, every {@code keyHeads}-th.
 *
 * @see <a href="https://arxiv.org/abs/2412.06464">Gated Delta Networks</a>
 * @see <a href="https://arxiv.org/abs/2510.26692">Kimi Linear</a>
 * @see <a href="https://arxiv.org/abs/2502.10297">DeltaProduct</a>
 * @see <a href="https://arxiv.org/abs/2506.02475">Comba</a>
 */
public final class GatedDeltaNet implements SequenceMixer<RecurrentState> {

  private final DeltaSpec spec;
  private final Projection q;
  private final Projection k;
  private final Projection v;
  private final LowRank z;
  private final Projection b;
  private final Projection w;
  private final LowRank a;
  private final Projection output;
  private final DeltaHeads heads;

  private GatedDeltaNet(DeltaSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    this.spec = spec;
    this.q = weights.projection("q", spec.keyCols(), width);
    this.k = weights.projection("k", spec.steps() * spec.keyCols(), width);
    this.v = weights.projection("v", spec.steps() * spec.valueCols(), width);
    this.z =
        spec.gate() == null
            ? null
            : LowRank.read(
                weights, "z", spec.valueCols(), width, spec.gateLatent(), spec.gateBiased());
    this.b = spec.beta() ? weights.projection("b", spec.strengths(), width) : null;
    this.w = spec.channelGates() ? weights.projection("w", spec.valueCols(), width) : null;
    int decays = spec.valueHeads() * spec.decays();
    this.a =
        decays == 0 ? null : LowRank.read(weights, "a", decays, width, spec.decayLatent(), false);
    this.output = weights.projection("o", width, spec.valueCols());
    this.heads = new DeltaHeads(spec, weights, site.kernels());
  }

  @Override
  public RecurrentState newState(int limit) {
    return heads.newState();
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix mixed = frame.matrix(rows, spec.channels());
      Matrix gate = z == null ? null : frame.matrix(rows, spec.valueCols());
      Matrix alpha = a == null ? null : frame.matrix(rows, spec.valueHeads() * spec.decays());
      Matrix beta = frame.matrix(rows, spec.strengths());
      Matrix write = w == null ? null : frame.matrix(rows, spec.valueCols());
      List<Divisible> first = new ArrayList<>();
      List<LowRank.Rest> second = new ArrayList<>();
      first.add(heads.mixed(q, pass, batch, x, mixed, 0));
      first.add(heads.mixed(k, pass, batch, x, mixed, spec.keyCols()));
      first.add(heads.mixed(v, pass, batch, x, mixed, spec.firstValue()));
      LowRank.add(z, pass, frame, x, gate, first, second);
      LowRank.add(a, pass, frame, x, alpha, first, second);
      if (b != null) {
        first.add(b.task(pass, x, beta));
      }
      if (w != null) {
        first.add(w.task(pass, x, write));
      }
      LowRank.run(pass, first, second);
      Matrix o = frame.matrix(rows, spec.valueCols());
      var tokens = new DeltaHeads.Tokens(mixed, alpha, beta, write);
      heads.advance(pass, batch, tokens, o);
      heads.normalize(pass, gate, o);
      output.apply(pass, o, y);
    }
  }

  /** The type {@code gated-delta-net}; its settings are those of {@link DeltaSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "gated-delta-net";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new GatedDeltaNet(DeltaSpec.read(settings), site);
    }
  }
}
