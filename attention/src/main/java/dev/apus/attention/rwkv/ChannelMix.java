package dev.apus.attention.rwkv;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import java.util.List;

/**
 * RWKV's feed-forward block, which sees the row before as well, and so is a mixer of the sequence:
 *
 * <pre>
 *   y = σ(W_r x_r) ⊙ W_v f(W_k x_k)          without the sigmoid if not gated
 * </pre>
 *
 * <p>where x_k and x_r are {@link ShiftedRows} by constant shares.
 *
 * @see <a href="https://arxiv.org/abs/2305.13048">RWKV</a>
 */
public final class ChannelMix implements SequenceMixer<RecurrentState> {

  /** The region of a state. */
  private static final int SHIFT = 0;

  private final ShiftedRows shifted;
  private final Activation activation;
  private final Projection key;
  private final Projection value;
  private final Projection receptance;

  private ChannelMix(Config c, Site site) {
    int width = site.width();
    int inner = c.positive("inner");
    boolean gated = c.flag("gated", true);
    WeightScope weights = site.weights();
    this.activation = Mlp.activation(c);
    this.shifted = new ShiftedRows(weights, width, gated ? "kr" : "k", 0);
    this.key = weights.projection("k", inner, width);
    this.value = weights.projection("v", width, inner);
    this.receptance = gated ? weights.projection("r", width, width) : null;
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(shifted.region());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      List<Matrix> in = shifted.of(pass, frame, batch, SHIFT, x);
      batch.runs().forEach(run -> run.state().changed());
      Matrix inner = frame.matrix(x.rows(), key.outputs());
      Matrix gates = receptance == null ? null : frame.matrix(x.rows(), x.cols());
      Divisible keys = key.task(pass, in.getFirst(), inner);
      if (receptance == null) {
        pass.run(keys);
      } else {
        pass.run(keys, receptance.task(pass, in.getLast(), gates));
      }
      var activations = pass.kernels().activations();
      pass.eachRow(
          x.rows(),
          2 * inner.cols(),
          (from, to, worker) ->
              activations.apply(
                  activation, inner.data(), inner.at(from), inner.at(to) - inner.at(from)));
      value.apply(pass, inner, y);
      if (gates != null) {
        pass.eachRow(
            x.rows(),
            8 * y.cols(),
            (from, to, worker) -> {
              int count = (to - from) * y.cols();
              activations.gate(
                  Activation.SIGMOID, gates.data(), gates.at(from), y.data(), y.at(from), count);
            });
      }
    }
  }

  /**
   * The type {@code rwkv-channel-mix}, with the settings {@code inner}, {@code gated} and {@code
   * activation}.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "rwkv-channel-mix";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new ChannelMix(settings, site);
    }
  }
}
