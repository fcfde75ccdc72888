package dev.apus.attention.rwkv;

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
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.scan.AverageScan;
import java.util.List;

/**
 * RWKV-4's time mixing: each channel averages its values by exponential weights that fade.
 *
 * <pre>
 *   r, k, v = W_r x_r, W_k x_k, W_v x_v                 {@link ShiftedRows} by constant shares
 *   e_ts = e^(k_s + (t − 1 − s) w) for s &lt; t           e_tt = e^(k_t + u)
 *   o_t = Σ_{s ≤ t} e_ts v_s / Σ_{s ≤ t} e_ts
 *   y = W_o (σ(r) ⊙ o)
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2305.13048">RWKV</a>
 */
public final class AverageTimeMix implements SequenceMixer<RecurrentState> {

  /** Channels that one thread takes at a time, at least. */
  private static final int CHANNELS = 64;

  /** The regions of a state. */
  private static final int SHIFT = 0;

  private static final int AVERAGE = 1;

  private final int inner;
  private final ShiftedRows shifted;
  private final Projection receptance;
  private final Projection key;
  private final Projection value;
  private final Projection output;

  /** The logarithms of what is kept of a weight at each token. */
  private final float[] decay;

  private final float[] bonus;

  private AverageTimeMix(Config c, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    this.inner = c.positive("inner");
    this.shifted = new ShiftedRows(weights, width, "rkv", 0);
    this.receptance = weights.projection("r", inner, width);
    this.key = weights.projection("k", inner, width);
    this.value = weights.projection("v", inner, width);
    this.output = weights.projection("o", width, inner);
    this.decay = weights.vector("decay", inner, new Typical(-1.1f, 1));
    this.bonus = weights.vector("bonus", inner, new Typical(0, 1));
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(shifted.region(), new Region(AverageScan.STATE, inner));
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
      Matrix r = frame.matrix(rows, inner);
      Matrix k = frame.matrix(rows, inner);
      Matrix v = frame.matrix(rows, inner);
      pass.run(
          receptance.task(pass, in.get(0), r),
          key.task(pass, in.get(1), k),
          value.task(pass, in.get(2), v));
      Matrix o = frame.matrix(rows, inner);
      average(pass, batch, k, v, o);
      batch.runs().forEach(run -> run.state().changed());
      var activations = pass.kernels().activations();
      pass.eachRow(
          rows,
          8 * inner,
          (from, to, worker) -> {
            int at = o.at(from);
            activations.gate(Activation.SIGMOID, r.data(), at, o.data(), at, o.at(to) - at);
          });
      output.apply(pass, o, y);
    }
  }

  private void average(Pass pass, Batch<RecurrentState> batch, Matrix k, Matrix v, Matrix o) {
    batch.runs().forEach(run -> run.state().keep(AVERAGE));
    pass.eachRow(
        Math.ceilDiv(inner, CHANNELS),
        32 * k.rows() * CHANNELS,
        (from, to, worker) -> {
          for (Run<RecurrentState> run : batch.runs()) {
            pass.kernels()
                .averageScan()
                .scan(
                    from * CHANNELS,
                    Math.min(inner, to * CHANNELS),
                    inner,
                    run.length(),
                    decay,
                    bonus,
                    k.from(run.from(), 0),
                    v.from(run.from(), 0),
                    o.from(run.from(), 0),
                    run.state().segment(),
                    run.state().at(AVERAGE));
          }
        });
  }

  /** The type {@code rwkv4-time-mix}, with the setting {@code inner}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "rwkv4-time-mix";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new AverageTimeMix(settings, site);
    }
  }
}
