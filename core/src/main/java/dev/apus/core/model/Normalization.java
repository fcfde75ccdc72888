package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.ConfigException;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;

/** A norm with its weights: {@link NormSpec} made to run. */
public final class Normalization {

  private final NormSpec spec;
  private final float[] weight;
  private final float[] bias;

  private Normalization(NormSpec spec, float[] weight, float[] bias) {
    this.spec = spec;
    this.weight = weight;
    this.bias = bias;
  }

  /**
   * The norm whose weight is called {@code name} and whose bias {@code name.bias}.
   *
   * @param spec null for no norm, which gives null
   * @param width how many values have weights of their own, or lie in the groups that share some
   * @throws ConfigException if these values do not divide into groups
   */
  public static Normalization of(NormSpec spec, String name, int width, WeightScope weights) {
    if (spec == null) {
      return null;
    }
    int size = spec.group() == 0 ? width : spec.group();
    if (width % size != 0) {
      throw new ConfigException(
          "the norm " + name + " has group=" + size + ", of which " + width + " is no multiple");
    }
    return new Normalization(
        spec,
        spec.weighted() ? weights.vector(name, size, Typical.NORM) : null,
        spec.biased() ? weights.vector(name + ".bias", size, typicalBias(spec)) : null);
  }

  /** Offsets of the residual stream must not drown the embeddings in it, which are small. */
  static Typical typicalBias(NormSpec spec) {
    return spec.type() == NormSpec.Type.AFFINE ? new Typical(0, 0.02f) : Typical.BIAS;
  }

  /** Normalises each row, as a whole or in its groups; {@code y} may be {@code x}. */
  public void rows(Pass pass, Matrix x, Matrix y) {
    int size = spec.group() == 0 ? x.cols() : spec.group();
    groups(pass, x, y, x.cols() / size, size, 0);
  }

  /**
   * Normalises each row in {@code groups} groups of {@code size} values.
   *
   * @param weightStride 0 if the groups share one weight of {@code size} values, or {@code size}
   */
  public void groups(Pass pass, Matrix x, Matrix y, int groups, int size, int weightStride) {
    float epsilon = (float) spec.epsilon();
    pass.eachRow(
        x.rows(),
        x.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            group(pass, x, y, row, groups, size, weightStride, epsilon);
          }
        });
  }

  private void group(
      Pass pass, Matrix x, Matrix y, int row, int groups, int size, int stride, float epsilon) {
    var norms = pass.kernels().norms();
    switch (spec.type()) {
      case RMS ->
          norms.rms(
              x.data(), x.at(row), groups, size, weight, stride, epsilon, y.data(), y.at(row));
      case LAYER ->
          norms.layer(
              x.data(), x.at(row), groups, size, weight, bias, stride, epsilon, y.data(),
              y.at(row));
      case AFFINE -> affine(x.data(), x.at(row), groups, size, stride, y.data(), y.at(row));
    }
  }

  private void affine(float[] x, int xAt, int groups, int size, int stride, float[] y, int yAt) {
    for (int group = 0; group < groups; group++) {
      for (int i = 0; i < size; i++) {
        int at = group * size + i;
        int weightAt = group * stride + i;
        float moved = bias == null ? x[xAt + at] : x[xAt + at] + bias[weightAt];
        y[yAt + at] = moved * weight[weightAt];
      }
    }
  }
}
