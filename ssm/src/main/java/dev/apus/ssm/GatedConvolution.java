package dev.apus.ssm;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;

/**
 * A short convolution between two gates, or before one: each channel sees its own last few inputs,
 * and nothing else of the sequence.
 *
 * <pre>
 *   (B, C, u) = W_in x      y = W_out (C ⊙ f(conv(B ⊙ u)))
 *      (C, u) = W_in x      y = W_out (C ⊙ f(conv(u)))
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2511.23404">LFM2 Technical Report</a>
 * @see <a href="https://arxiv.org/abs/2402.18668">Based</a>
 */
public final class GatedConvolution implements SequenceMixer<RecurrentState> {

  /**
   * @param inner channels
   * @param opened whether there is a gate before the convolution, B
   * @param activation of what was convolved
   * @param biased whether the convolution and both projections have biases
   */
  private record Spec(int taps, int inner, boolean opened, Activation activation, boolean biased) {

    static Spec read(Config c, int width) {
      int taps = c.positive("taps");
      int inner = c.positive("inner", width);
      if ((long) taps * inner > Integer.MAX_VALUE || inner > Integer.MAX_VALUE / 3) {
        throw c.error("taps=%d of %d channels are more than 2^31 − 1 values", taps, inner);
      }
      return new Spec(
          taps,
          inner,
          c.flag("opened", true),
          c.has("activation") ? Mlp.activation(c) : Activation.IDENTITY,
          c.flag("biased", false));
    }

    int gates() {
      return opened ? 2 : 1;
    }
  }

  private final Spec spec;
  private final Projection input;
  private final CausalConvolution convolution;
  private final Projection output;

  private GatedConvolution(Spec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    int inner = spec.inner();
    this.spec = spec;
    this.input = weights.projection("in", (spec.gates() + 1) * inner, width, spec.biased());
    this.convolution = CausalConvolution.read(weights, "conv", inner, spec.taps(), spec.biased());
    this.output = weights.projection("out", width, inner, spec.biased());
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
      int inner = spec.inner();
      Matrix gates = frame.matrix(x.rows(), input.outputs());
      Matrix channels = frame.matrix(x.rows(), inner);
      input.apply(pass, x, gates);
      copy(pass, gates, spec.gates() * inner, channels);
      if (spec.opened()) {
        gate(pass, gates, 0, channels);
      }
      convolution.apply(pass, batch, 0, channels, 0);
      batch.runs().forEach(run -> run.state().changed());
      activate(pass, channels);
      gate(pass, gates, (spec.gates() - 1) * inner, channels);
      output.apply(pass, channels, y);
    }
  }

  /** Copies the columns from {@code column} on to the channels. */
  private static void copy(Pass pass, Matrix x, int column, Matrix channels) {
    int inner = channels.cols();
    pass.eachRow(
        x.rows(),
        inner,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            System.arraycopy(
                x.data(), x.at(row) + column, channels.data(), channels.at(row), inner);
          }
        });
  }

  private void activate(Pass pass, Matrix channels) {
    if (spec.activation() == Activation.IDENTITY) {
      return;
    }
    pass.eachRow(
        channels.rows(),
        8 * channels.cols(),
        (from, to, worker) -> {
          int at = channels.at(from);
          int count = channels.at(to) - at;
          pass.kernels().activations().apply(spec.activation(), channels.data(), at, count);
        });
  }

  /** Multiplies the channels by the gates that begin at a column. */
  private void gate(Pass pass, Matrix gates, int column, Matrix channels) {
    Activations kernel = pass.kernels().activations();
    int inner = channels.cols();
    pass.eachRow(
        gates.rows(),
        inner,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = gates.at(row) + column;
            kernel.gate(
                Activation.IDENTITY, gates.data(), at, channels.data(), channels.at(row), inner);
          }
        });
  }

  /** The type {@code gated-convolution}; its settings are those of {@link Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "gated-convolution";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new GatedConvolution(Spec.read(settings, site.width()), site);
    }
  }
}
