package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;

/** {@code y = x}, for branches that are a norm alone, or that bring one stream to another. */
final class Identity implements ChannelMixer {

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    System.arraycopy(x.data(), 0, y.data(), 0, y.rows() * y.cols());
  }

  /** The type {@code identity}, which has no settings. */
  static final class Type implements ChannelType {

    @Override
    public String name() {
      return "identity";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      site.width();
      return new Identity();
    }
  }
}
