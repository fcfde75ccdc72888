package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.activation.Activation;
import java.util.Locale;

/**
 * A gate between what two parts give: of rows that lie side by side, {@code y = a ⊙ f(b)}. It has
 * no weights.
 */
final class Product implements ChannelMixer {

  private final Activation activation;

  private Product(Activation activation) {
    this.activation = activation;
  }

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    int width = y.cols();
    pass.eachRow(
        y.rows(),
        8 * width,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = x.at(row);
            System.arraycopy(x.data(), at, y.data(), y.at(row), width);
            pass.kernels()
                .activations()
                .gate(activation, x.data(), at + width, y.data(), y.at(row), width);
          }
        });
  }

  /**
   * The type {@code product}: {@code activation} is f; it reads rows twice as wide as it writes.
   */
  static final class Type implements ChannelType {

    @Override
    public String name() {
      return "product";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      if (site.inputs() != 2L * site.outputs()) {
        throw new ConfigException(
            String.format(
                Locale.ROOT,
                "layer %d: \"product\" writes rows of %d values, so it must read rows of twice as"
                    + " many, two joined streams; found %d",
                site.layer(),
                site.outputs(),
                site.inputs()));
      }
      return new Product(Mlp.activation(settings));
    }
  }
}
