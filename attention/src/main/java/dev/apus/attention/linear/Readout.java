package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import java.util.List;

/**
 * What is done to what heads have read: {@code norm(f(o)) ⊙ g(W_g x)}, of which everything may be
 * left out.
 */
final class Readout {

  /** What the norm takes the mean over. */
  enum NormOver {
    /** Each head, with one weight for all heads. */
    HEAD,
    /** Each head, with a weight for each. */
    EACH_HEAD,
    /** All heads together. */
    ROW
  }

  /**
   * The settings.
   *
   * @param function of what was read
   * @param norm how that is normalised, or null
   * @param normOver what has a mean of its own
   * @param gate the function of the gate, or null if there is none
   * @param gateLatent values that the gate comes out of; 0 for those of the row itself
   */
  record Spec(
      Activation function, NormSpec norm, NormOver normOver, Activation gate, int gateLatent) {

    /** What {@code readActivation}, {@code norm}, {@code gate} and {@code gateLatent} say. */
    static Spec read(Config c) {
      Config norm = c.has("norm") ? c.section("norm") : null;
      NormOver over =
          norm == null
              ? NormOver.HEAD
              : switch (norm.choice("over", "head", "head", "each-head", "row")) {
                case "head" -> NormOver.HEAD;
                case "each-head" -> NormOver.EACH_HEAD;
                default -> NormOver.ROW;
              };
      Activation gate =
          switch (c.choice("gate", "none", "none", "identity", "silu", "sigmoid")) {
            case "identity" -> Activation.IDENTITY;
            case "silu" -> Activation.SILU;
            case "sigmoid" -> Activation.SIGMOID;
            default -> null;
          };
      return new Spec(
          Mlp.activation(c, "readActivation", Activation.IDENTITY),
          norm == null ? null : NormSpec.read(norm),
          over,
          gate,
          gate == null ? 0 : c.count("gateLatent", 0));
    }
  }

  private final Spec spec;
  private final int heads;
  private final int valueDim;
  private final LowRank gate;
  private final Normalization norm;

  /**
   * @param weights has those of {@code gate} and {@code norm}
   * @param width values of the rows that the gate is made of
   */
  Readout(Spec spec, int heads, int valueDim, WeightScope weights, int width) {
    this.spec = spec;
    this.heads = heads;
    this.valueDim = valueDim;
    int cols = heads * valueDim;
    this.gate =
        spec.gate() == null
            ? null
            : LowRank.read(weights, "gate", cols, width, spec.gateLatent(), false);
    int normed = spec.normOver() == NormOver.HEAD ? valueDim : cols;
    this.norm = Normalization.of(spec.norm(), "norm", normed, weights);
  }

  /** A matrix for the gates of these rows; null if there are none. */
  Matrix gates(Pass.Frame frame, int rows) {
    return gate == null ? null : frame.matrix(rows, heads * valueDim);
  }

  /** Adds what makes the gates to one list, and what follows to another. */
  void add(
      Pass pass,
      Pass.Frame frame,
      Matrix x,
      Matrix gates,
      List<Divisible> first,
      List<LowRank.Rest> second) {
    LowRank.add(gate, pass, frame, x, gates, first, second);
  }

  /** Does it to what was read, in place. */
  void apply(Pass pass, Matrix gates, Matrix o) {
    Elementwise.apply(pass, spec.function(), o);
    normalize(pass, o);
    if (gate != null) {
      Elementwise.gate(pass, spec.gate(), gates, o);
    }
  }

  private void normalize(Pass pass, Matrix o) {
    if (norm == null) {
      return;
    }
    if (spec.normOver() == NormOver.ROW) {
      norm.rows(pass, o, o);
    } else {
      int stride = spec.normOver() == NormOver.EACH_HEAD ? valueDim : 0;
      norm.groups(pass, o, o, heads, valueDim, stride);
    }
  }
}
