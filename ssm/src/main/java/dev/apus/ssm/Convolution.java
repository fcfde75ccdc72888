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

/**
 * A short convolution alone: each channel is a weighted sum of its last few inputs.
 *
 * <pre>
 *   y = conv(x)
 * </pre>
 */
public final class Convolution implements SequenceMixer<RecurrentState> {

  private final CausalConvolution convolution;

  private Convolution(CausalConvolution convolution) {
    this.convolution = convolution;
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
    System.arraycopy(x.data(), x.at(0), y.data(), y.at(0), x.rows() * x.cols());
    convolution.apply(pass, batch, 0, y, 0);
    batch.runs().forEach(run -> run.state().changed());
  }

  /**
   * The type {@code convolution}: {@code taps} is its length, {@code biased} says whether it has a
   * bias.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "convolution";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      int taps = settings.positive("taps");
      int width = site.width();
      if ((long) taps * width > Integer.MAX_VALUE) {
        throw settings.error("taps=%d of %d channels are more than 2^31 − 1 values", taps, width);
      }
      boolean biased = settings.flag("biased", false);
      return new Convolution(CausalConvolution.read(site.weights(), "conv", width, taps, biased));
    }
  }
}
