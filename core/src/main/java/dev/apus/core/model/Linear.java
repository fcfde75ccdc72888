package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;

/** One matrix: {@code y = W x + b}. It may take rows from one width to another. */
final class Linear implements ChannelMixer {

  private final Projection matrix;

  private Linear(Projection matrix) {
    this.matrix = matrix;
  }

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    matrix.apply(pass, x, y);
  }

  /** The type {@code linear}, whose matrix is the weight {@code w}: {@code biased}. */
  static final class Type implements ChannelType {

    @Override
    public String name() {
      return "linear";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      boolean biased = settings.flag("biased", false);
      return new Linear(site.weights().projection("w", site.outputs(), site.inputs(), biased));
    }
  }
}
