package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import java.util.Arrays;
import java.util.Locale;

/**
 * A feed-forward block: {@code down(f(gate(x)) · up(x))} if gated, otherwise {@code
 * down(f(up(x)))}.
 *
 * @see <a href="https://arxiv.org/abs/2002.05202">GLU Variants Improve Transformer</a>
 */
public final class Mlp implements ChannelMixer {

  private final Activation activation;
  private final Projection gate;
  private final Projection up;
  private final Projection down;

  private Mlp(Activation activation, Projection gate, Projection up, Projection down) {
    this.activation = activation;
    this.gate = gate;
    this.up = up;
    this.down = down;
  }

  /** A gated block with the weights {@code gate}, {@code up} and {@code down}. */
  public static Mlp gated(
      Activation activation, int width, int inner, boolean biased, WeightScope weights) {
    return new Mlp(
        activation,
        weights.projection("gate", inner, width, biased),
        weights.projection("up", inner, width, biased),
        weights.projection("down", width, inner, biased));
  }

  /** A block without a gate, with the weights {@code up} and {@code down}. */
  public static Mlp plain(
      Activation activation, int width, int inner, boolean biased, WeightScope weights) {
    return new Mlp(
        activation,
        null,
        weights.projection("up", inner, width, biased),
        weights.projection("down", width, inner, biased));
  }

  /** The activation that a setting names, as {@code gelu-tanh} names {@code GELU_TANH}. */
  public static Activation activation(Config settings) {
    String[] names =
        Arrays.stream(Activation.values())
            .map(a -> a.name().toLowerCase(Locale.ROOT).replace('_', '-'))
            .toArray(String[]::new);
    String name = settings.choice("activation", "silu", names);
    return Activation.valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix inner = frame.matrix(x.rows(), up.outputs());
      up.apply(pass, x, inner);
      if (gate == null) {
        activate(pass, inner);
      } else {
        Matrix gates = frame.matrix(x.rows(), gate.outputs());
        gate.apply(pass, x, gates);
        multiply(pass, gates, inner);
      }
      down.apply(pass, inner, y);
    }
  }

  private void activate(Pass pass, Matrix inner) {
    var kernel = pass.kernels().activations();
    int cols = inner.cols();
    pass.eachRow(
        inner.rows(),
        4 * cols,
        (from, to, worker) ->
            kernel.apply(activation, inner.data(), from * cols, (to - from) * cols));
  }

  private void multiply(Pass pass, Matrix gates, Matrix inner) {
    var kernel = pass.kernels().activations();
    int cols = inner.cols();
    pass.eachRow(
        inner.rows(),
        4 * cols,
        (from, to, worker) ->
            kernel.gate(
                activation,
                gates.data(),
                from * cols,
                inner.data(),
                from * cols,
                (to - from) * cols));
  }

  /** The type {@code gated-mlp}: {@code inner}, {@code activation}, {@code biased}. */
  static final class Gated implements ChannelType {

    @Override
    public String name() {
      return "gated-mlp";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      return gated(
          activation(settings),
          site.width(),
          settings.positive("inner"),
          settings.flag("biased", false),
          site.weights());
    }
  }

  /** The type {@code mlp}, with the settings of {@link Gated}. */
  static final class Plain implements ChannelType {

    @Override
    public String name() {
      return "mlp";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      return plain(
          activation(settings),
          site.width(),
          settings.positive("inner"),
          settings.flag("biased", false),
          site.weights());
    }
  }
}
