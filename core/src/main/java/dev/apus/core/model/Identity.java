package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.tensor.Matrix;
import java.util.Locale;

/** Gives what it reads: carries rows from one stream to another. It has no weights. */
final class Identity implements ChannelMixer {

  private Identity() {}

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    System.arraycopy(x.data(), 0, y.data(), 0, x.rows() * x.cols());
  }

  /** The type {@code identity}, without settings. */
  static final class Type implements ChannelType {

    @Override
    public String name() {
      return "identity";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      if (site.inputs() != site.outputs()) {
        throw new ConfigException(
            String.format(
                Locale.ROOT,
                "layer %d: \"identity\" reads rows of %d values and is to write rows of %d",
                site.layer(),
                site.inputs(),
                site.outputs()));
      }
      return new Identity();
    }
  }
}
