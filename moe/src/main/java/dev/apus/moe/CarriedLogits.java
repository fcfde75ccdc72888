package dev.apus.moe;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;

/**
 * Router logits that go on from those of the layer before: {@code l ← l + W l of the layer before}.
 * They belong to the pass: a token's routers tell each other, tokens do not.
 *
 * @see <a href="https://arxiv.org/abs/2410.07348">MoE++, section 3.3</a>
 */
final class CarriedLogits {

  /** What the routers of a pass tell each other from layer to layer. */
  private static final class Told {
    private static final Object KEY = new Object();
    private Matrix logits;
  }

  /** Null in the first of these layers. */
  private final Projection carry;

  private CarriedLogits(Projection carry) {
    this.carry = carry;
  }

  /**
   * The setting {@code carried}: {@code begins} in the first layer of these, {@code goes-on} in
   * those after it, and {@code no}, which gives null.
   */
  static CarriedLogits read(Config c, int experts, WeightScope weights) {
    return switch (c.choice("carried", "no", "no", "begins", "goes-on")) {
      case "no" -> null;
      case "begins" -> new CarriedLogits(null);
      default -> new CarriedLogits(weights.projection("router.carry", experts, experts));
    };
  }

  /** Adds what is carried to the logits, and keeps these for the next layer. */
  void forward(Pass pass, Matrix logits) {
    Told told = pass.once(Told.KEY, Told::new);
    if (carry != null) {
      add(pass, told.logits, logits);
    }
    // The layer after reads them when the scratch of this one is gone.
    int count = logits.rows() * logits.cols();
    told.logits = Matrix.zeros(logits.rows(), logits.cols());
    System.arraycopy(logits.data(), 0, told.logits.data(), 0, count);
  }

  private void add(Pass pass, Matrix before, Matrix logits) {
    if (before == null || before.cols() != carry.inputs()) {
      throw new IllegalStateException(
          "a router with carried=goes-on needs one of as many experts in a layer before, with"
              + " carried=begins or goes-on");
    }
    try (Pass.Frame frame = pass.frame()) {
      Matrix added = frame.matrix(logits.rows(), logits.cols());
      carry.apply(pass, before, added);
      int count = logits.rows() * logits.cols();
      pass.kernels().activations().addScaled(1, added.data(), 0, logits.data(), 0, count);
    }
  }
}
