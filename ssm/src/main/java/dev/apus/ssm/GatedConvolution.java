package dev.apus.ssm;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;

/**
 * A short convolution between two gates: each channel sees its own last few inputs, and nothing
 * else of the sequence.
 *
 * <pre>
 *   (B, C, u) = W_in x
 *   y = W_out (C ⊙ conv(B ⊙ u))
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2511.23404">LFM2 Technical Report</a>
 */
public final class GatedConvolution implements SequenceMixer<RecurrentState> {

  private final int width;
  private final Projection input;
  private final CausalConvolution convolution;
  private final Projection output;

  private GatedConvolution(int taps, boolean biased, Site site) {
    WeightScope weights = site.weights();
    this.width = site.width();
    this.input = weights.projection("in", 3 * width, width, biased);
    this.convolution = CausalConvolution.read(weights, "conv", width, taps, biased);
    this.output = weights.projection("out", width, width, biased);
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(convolution.region());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix gates = frame.matrix(x.rows(), 3 * width);
      Matrix channels = frame.matrix(x.rows(), width);
      input.apply(pass, x, gates);
      open(pass, gates, channels);
      convolution.apply(pass, batch, 0, channels, 0);
      batch.runs().forEach(run -> run.state().changed());
      gate(pass, gates, width, channels);
      output.apply(pass, channels, y);
    }
  }

  /** {@code channels ← B ⊙ u}. */
  private void open(Pass pass, Matrix gates, Matrix channels) {
    pass.eachRow(
        gates.rows(),
        width,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int u = gates.at(row) + 2 * width;
            System.arraycopy(gates.data(), u, channels.data(), channels.at(row), width);
          }
        });
    gate(pass, gates, 0, channels);
  }

  /** Multiplies the channels by the gates that begin at a column. */
  private void gate(Pass pass, Matrix gates, int column, Matrix channels) {
    Activations kernel = pass.kernels().activations();
    pass.eachRow(
        gates.rows(),
        width,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = gates.at(row) + column;
            kernel.gate(
                Activation.IDENTITY, gates.data(), at, channels.data(), channels.at(row), width);
          }
        });
  }

  /**
   * The type {@code gated-convolution}: {@code taps} is the length of the convolution, {@code
   * biased} says whether it and both projections have biases.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "gated-convolution";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      int taps = settings.positive("taps");
      if ((long) taps * site.width() > Integer.MAX_VALUE || site.width() > Integer.MAX_VALUE / 3) {
        throw settings.error(
            "taps=%d of %d channels are more than 2^31 − 1 values", taps, site.width());
      }
      return new GatedConvolution(taps, settings.flag("biased", false), site);
    }
  }
}
