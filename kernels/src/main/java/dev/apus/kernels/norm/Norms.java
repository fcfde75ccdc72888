package dev.apus.kernels.norm;

/**
 * Normalises rows in groups of {@code size} consecutive values: a row of one group is the usual
 * norm, a row of {@code heads} groups is a norm of each head.
 *
 * <p>{@code weight} and {@code bias} may be null; otherwise group {@code g} uses the values from
 * {@code g · weightStride}, so a stride of 0 shares one weight between the groups. {@code y} may be
 * {@code x} at the same place.
 *
 * <p>Sums keep sixteen partial sums (value {@code i} goes to number {@code i mod 16}, squares by
 * fused multiply-adds) and add them as a tree, {@code p + p[+8]} first. Each value is then computed
 * in the order of the formula.
 */
public interface Norms {

  /** {@code y = x · (1 / √(mean(x²) + ε)) · weight}. */
  void rms(
      float[] x,
      int xAt,
      int groups,
      int size,
      float[] weight,
      int weightStride,
      float epsilon,
      float[] y,
      int yAt);

  /**
   * {@code y = (x − mean x) · (1 / √(var x + ε)) · weight + bias}, the variance by a second pass
   * over the centred values.
   */
  void layer(
      float[] x,
      int xAt,
      int groups,
      int size,
      float[] weight,
      float[] bias,
      int weightStride,
      float epsilon,
      float[] y,
      int yAt);

  /**
   * Takes the gradients at the outputs of {@link #layer} back to its inputs, in place:
   *
   * <pre>
   *   r = 1 / √(var x + ε)      x̂ = (x − mean x) · r      h = g ⊙ weight
   *   g ← r · (h − mean h − x̂ · mean(h ⊙ x̂))
   * </pre>
   *
   * @param x becomes x̂
   * @param weight {@code size} values
   */
  void layerBack(float[] x, int xAt, int size, float[] weight, float epsilon, float[] g, int gAt);

  /** {@code y = x · (scale / √(Σx² + ε))}, the norm of linear attention's queries and keys. */
  void l2(float[] x, int xAt, int groups, int size, float scale, float epsilon, float[] y, int yAt);
}
