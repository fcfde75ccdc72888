package dev.apus.kernels.norm;

/**
 * Normalises rows in groups of {@code size} consecutive values: a row of one group is the usual
 * norm, a row of {@code heads} groups is a norm of each head.
 *
 * <p>{@code weight} and {@code bias} may be null; otherwise group {@code g} uses the values from
 * {@code g · weightStride}, so a stride of 0 shares one weight between the groups. {@code y} may be
 * {@code x} at the same place.
 */
public interface Norms {

  /** {@code y = x / √(mean(x²) + ε) · weight}. */
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

  /** {@code y = (x − mean x) / √(var x + ε) · weight + bias}. */
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

  /** {@code y = x / √(Σx² + ε) · scale}, the norm of linear attention's queries and keys. */
  void l2(float[] x, int xAt, int groups, int size, float scale, float epsilon, float[] y, int yAt);
}
