package dev.apus.attention.learning;

import dev.apus.core.config.Config;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.learning.FastWeights.Shape;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What each head learns: a map of rows of {@code dim} values to such rows, one matrix or a network
 * of several.
 *
 * <pre>
 *   z = W_L f(… f(W_1 x + b_1) …) + b_L
 *   residual:  M(x) = x + layerNorm(z)      loss ½ ‖M(k) − v‖²
 *   plain:     M(x) = z                     loss ‖M(k) − v‖²
 * </pre>
 *
 * @param depth how many matrices
 * @param hidden values between two matrices
 * @param activation f
 * @param residual whether what it gives is normalised and added to the row, and matrices have
 *     biases
 */
record InnerModel(int dim, int depth, int hidden, Activation activation, boolean residual) {

  /** The shape of each matrix, the first first. */
  List<Shape> shapes() {
    return IntStream.range(0, depth)
        .mapToObj(
            layer ->
                new Shape(layer == 0 ? dim : hidden, layer == depth - 1 ? dim : hidden, residual))
        .toList();
  }

  /** Reads {@code depth}, {@code hidden} and {@code activation}. */
  static InnerModel read(Config c, int dim, int depth, int hidden, boolean residual) {
    int inner = depth == 1 ? dim : c.positive("hidden", hidden);
    String activation =
        depth == 1 ? "gelu-tanh" : c.choice("activation", "gelu-tanh", "gelu-tanh", "silu");
    return new InnerModel(
        dim,
        depth,
        inner,
        activation.equals("silu") ? Activation.SILU : Activation.GELU_TANH,
        residual);
  }
}
