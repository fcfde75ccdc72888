package dev.apus.core.model;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Adapters;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.matmul.Matmul;
import java.util.Arrays;
import java.util.Locale;

/**
 * A feed-forward block: {@code down(f(gate(x)) · up(x))} if gated, or as its {@link Gating} says;
 * otherwise {@code down(f(up(x)))}. Where its matrices are those of another layer, gate and up may
 * have adapters.
 *
 * @see <a href="https://arxiv.org/abs/2002.05202">GLU Variants Improve Transformer</a>
 */
public final class Mlp implements ChannelMixer {

  /**
   * Panels whose gates are computed before they are used up, where there are so many rows that
   * nothing is gained by reading longer streams.
   */
  private static final int PANELS_AT_ONCE = 8;

  private static final int MANY_ROWS = 32;

  private final Gating gating;
  private final Projection gate;
  private final Projection up;
  private final Projection down;
  private final Adapters adapters;

  private Mlp(Gating gating, Projection gate, Projection up, Projection down, Adapters adapters) {
    this.gating = gating;
    this.gate = gate;
    this.up = up;
    this.down = down;
    this.adapters = adapters;
  }

  /** A gated block with the weights {@code gate}, {@code up} and {@code down}. */
  public static Mlp gated(
      Gating gating, int width, int inner, boolean biased, WeightScope weights) {
    return new Mlp(
        gating,
        weights.projection("gate", inner, width, biased),
        weights.projection("up", inner, width, biased),
        weights.projection("down", width, inner, biased),
        null);
  }

  /** A block without a gate, with the weights {@code up} and {@code down}. */
  public static Mlp plain(
      Activation activation, int width, int inner, boolean biased, WeightScope weights) {
    return new Mlp(
        new Gating(activation),
        null,
        weights.projection("up", inner, width, biased),
        weights.projection("down", width, inner, biased),
        null);
  }

  /** What {@code activation} names; SiLU if it is not there. */
  public static Activation activation(Config settings) {
    return activation(settings, "activation", Activation.SILU);
  }

  /** The activation that a setting names, as {@code gelu-tanh} names {@code GELU_TANH}. */
  public static Activation activation(Config settings, String key, Activation absent) {
    String[] names = Arrays.stream(Activation.values()).map(Mlp::spelled).toArray(String[]::new);
    String name = settings.choice(key, spelled(absent), names);
    return Activation.valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  private static String spelled(Activation activation) {
    return activation.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Values between the two stages of the block. */
  public int inner() {
    return up.outputs();
  }

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix inner = frame.matrix(x.rows(), inner());
      boolean some = gate != null && adapters == null && x.rows() >= MANY_ROWS;
      Matrix gates = gate == null || some ? null : frame.matrix(x.rows(), inner());
      if (some) {
        pass.run(gatedTask(pass, frame, x, inner));
      } else if (adapters == null) {
        pass.run(innerTask(pass, x, gates, inner, 0, x.rows()));
      } else {
        adapted(pass, x, gates, inner);
      }
      pass.run(outputTask(pass, inner, y, 0, x.rows()));
    }
  }

  /** The first stage with the gates of only a few panels at a time. */
  private Divisible gatedTask(Pass pass, Pass.Frame frame, Matrix x, Matrix inner) {
    int rows = x.rows();
    int most = PANELS_AT_ONCE * Matmul.PANEL_ROWS;
    Matrix[] gates = new Matrix[pass.workers().threads()];
    for (int i = 0; i < gates.length; i++) {
      gates[i] = frame.matrix(rows, Math.min(most, inner()));
    }
    Divisible both = up.task(pass, x, inner).with(gate.task(pass, x, inner));
    return new Divisible(
        both.units(),
        both.cost(),
        (from, to, worker) -> {
          Matrix some = gates[worker];
          for (int first = from; first < to; first += PANELS_AT_ONCE) {
            int last = Math.min(to, first + PANELS_AT_ONCE);
            up.multiply(pass, worker, x, inner, 0, rows, first, last);
            gate.multiplyPart(pass, worker, x, some, 0, rows, first, last);
            int col = first * Matmul.PANEL_ROWS;
            int count = Math.min(inner(), last * Matmul.PANEL_ROWS) - col;
            for (int row = 0; row < rows; row++) {
              gating.apply(
                  pass, some.data(), some.at(row), inner.data(), inner.at(row) + col, count);
            }
          }
        },
        both.group(),
        both.inputs());
  }

  private void adapted(Pass pass, Matrix x, Matrix gates, Matrix inner) {
    if (gate == null) {
      up.apply(pass, x, inner);
      adapters.add(pass, x, inner);
    } else {
      pass.run(gate.task(pass, x, gates), up.task(pass, x, inner));
      adapters.add(pass, x, gates, inner);
    }
    int cols = inner();
    pass.eachRow(
        x.rows(),
        4 * cols,
        (from, to, worker) -> activate(pass, gates, inner, from * cols, (to - from) * cols));
  }

  /**
   * The first stage, for rows {@code [from, to)}, to be done together with other work: {@code inner
   * ← f(gate(x)) · up(x)}.
   *
   * @param gates scratch of the shape of {@code inner}; null for a block without a gate
   */
  public Divisible innerTask(Pass pass, Matrix x, Matrix gates, Matrix inner, int from, int to) {
    Divisible task = up.task(pass, x, inner, from, to);
    if (gate != null) {
      task = task.with(gate.task(pass, x, gates, from, to));
    }
    return task.then(
        0,
        up.ofOutputs(
            (first, last, worker) -> {
              for (int row = from; row < to; row++) {
                activate(pass, gates, inner, inner.at(row) + first, last - first);
              }
            }));
  }

  private void activate(Pass pass, Matrix gates, Matrix inner, int at, int count) {
    if (gate == null) {
      pass.kernels().activations().apply(gating.activation(), inner.data(), at, count);
    } else {
      gating.apply(pass, gates.data(), at, inner.data(), at, count);
    }
  }

  /** The second stage, for rows {@code [from, to)}: {@code y ← down(inner)}. */
  public Divisible outputTask(Pass pass, Matrix inner, Matrix y, int from, int to) {
    return down.task(pass, inner, y, from, to);
  }

  /**
   * The type {@code gated-mlp}: {@code inner}, the settings of {@link Gating}, {@code biased}, and
   * the rank of the {@code adapter} of gate and up.
   */
  static final class Gated implements ChannelType {

    @Override
    public String name() {
      return "gated-mlp";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      return Mlp.build(settings, site, "gate", "up");
    }
  }

  /**
   * The type {@code mlp}, with the settings of {@link Gated}, of which {@code activation} alone
   * says what lies between its matrices.
   */
  static final class Plain implements ChannelType {

    @Override
    public String name() {
      return "mlp";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      return Mlp.build(settings, site, "up");
    }
  }

  private static Mlp build(Config settings, Site site, String... first) {
    boolean gated = first.length > 1;
    Gating gating = gated ? Gating.read(settings) : new Gating(activation(settings));
    int inner = settings.positive("inner");
    boolean biased = settings.flag("biased", false);
    WeightScope weights = site.weights();
    Projection[] stage = new Projection[first.length];
    for (int i = 0; i < first.length; i++) {
      stage[i] = weights.projection(first[i], inner, site.inputs(), biased);
    }
    Adapters adapters = Adapters.of(weights, site.inputs(), settings.count("adapter", 0));
    return new Mlp(
        gating,
        gated ? stage[0] : null,
        stage[first.length - 1],
        weights.projection("down", site.outputs(), inner, biased),
        adapters == null ? null : adapters.toEach(inner, first));
  }
}
