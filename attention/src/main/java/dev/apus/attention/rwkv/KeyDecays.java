package dev.apus.attention.rwkv;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;

/**
 * What is kept for each key at a token: {@code D = exp(−e^d)}, or {@code D = exp(−e^(d + B tanh(A
 * x)))}.
 */
final class KeyDecays {

  /** What logarithms of D are raised to. */
  private final float least;

  /** D where it is constant; otherwise null. */
  private final float[] constant;

  private final Projection latent;
  private final Projection up;

  /**
   * @param rank rows of A; 0 for constants
   */
  KeyDecays(
      WeightScope weights, Activations activations, int keys, int width, int rank, float least) {
    this.least = least;
    if (rank == 0) {
      this.latent = null;
      this.up = null;
      this.constant = weights.vector("decay", keys, new Typical(-2, 2));
      factors(activations, constant, 0, keys);
    } else {
      this.latent = weights.projection("decay.latent", rank, width);
      this.up = weights.projection("decay", keys, rank, true);
      this.constant = null;
    }
  }

  /** D where it is the same for all tokens; otherwise null. */
  float[] constant() {
    return constant;
  }

  /** D of each row. */
  Matrix of(Pass pass, Pass.Frame frame, Matrix x) {
    Matrix inner = frame.matrix(x.rows(), latent.outputs());
    Matrix decays = frame.matrix(x.rows(), up.outputs());
    latent.apply(pass, x, inner);
    var activations = pass.kernels().activations();
    activations.apply(Activation.TANH, inner.data(), 0, inner.rows() * inner.cols());
    up.apply(pass, inner, decays);
    pass.eachRow(
        x.rows(),
        32 * decays.cols(),
        (from, to, worker) ->
            factors(activations, decays.data(), decays.at(from), (to - from) * decays.cols()));
    return decays;
  }

  private void factors(Activations activations, float[] values, int at, int count) {
    activations.apply(Activation.EXP, values, at, count);
    for (int i = at; i < at + count; i++) {
      values[i] = Math.max(-values[i], least);
    }
    activations.apply(Activation.EXP, values, at, count);
  }
}
