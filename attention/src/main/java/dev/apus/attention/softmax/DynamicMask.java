package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;

/**
 * A score of each token in each key head that its values decide: {@code e^(a · softplus(W v + b))}.
 * It is added to what queries make of the token's key, and where a query may not see all tokens, it
 * sees those that have the greatest.
 *
 * @see <a href="https://arxiv.org/abs/2508.02124">Trainable Dynamic Mask Sparse Attention</a>
 */
final class DynamicMask {

  private final Projection matrix;
  private final float[] factors;

  DynamicMask(int heads, int valueCols, boolean biased, WeightScope weights) {
    matrix = weights.projection("mask", heads, valueCols, biased);
    factors = weights.vector("mask.factors", heads, Typical.BIAS);
  }

  /** The scores of all rows. */
  Matrix scores(Pass pass, Pass.Frame frame, Matrix v) {
    Matrix scores = frame.matrix(v.rows(), factors.length);
    matrix.apply(pass, v, scores);
    Activations kernel = pass.kernels().activations();
    int count = v.rows() * factors.length;
    kernel.apply(Activation.SOFTPLUS, scores.data(), 0, count);
    for (int i = 0; i < count; i++) {
      scores.data()[i] *= factors[i % factors.length];
    }
    kernel.apply(Activation.EXP, scores.data(), 0, count);
    return scores;
  }
}
