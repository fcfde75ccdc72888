package dev.apus.attention.linear;

import dev.apus.core.config.Config;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;

/**
 * A gate that stays near 1: {@code max(σ(x)^(1/root), e^floor)}.
 *
 * @param floor the logarithm of the least value; −∞ for none
 */
record SigmoidRoot(float root, float floor) {

  static SigmoidRoot read(Config c) {
    float root = c.real("root", 1);
    if (!(root > 0)) {
      throw c.errorAt("root", "root=%s must be above 0: memories would grow", root);
    }
    float floor = c.real("floor", Float.NEGATIVE_INFINITY);
    if (floor > 0) {
      throw c.errorAt("floor", "floor=%s must not be positive: memories would grow", floor);
    }
    return new SigmoidRoot(root, floor);
  }

  /** Applies it to {@code count} values in place. */
  void apply(Activations kernel, float[] x, int at, int count) {
    int to = at + count;
    for (int i = at; i < to; i++) {
      x[i] = -x[i];
    }
    kernel.apply(Activation.SOFTPLUS, x, at, count);
    float factor = -1 / root;
    for (int i = at; i < to; i++) {
      x[i] = Math.max(x[i] * factor, floor);
    }
    kernel.apply(Activation.EXP, x, at, count);
  }
}
