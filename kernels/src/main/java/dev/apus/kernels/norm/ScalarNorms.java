package dev.apus.kernels.norm;

import dev.apus.kernels.math.ScalarSums;

/** The definition of {@link Norms}. */
public final class ScalarNorms implements Norms {

  public ScalarNorms() {}

  @Override
  public void rms(
      float[] x,
      int xAt,
      int groups,
      int size,
      float[] weight,
      int weightStride,
      float epsilon,
      float[] y,
      int yAt) {
    for (int g = 0; g < groups; g++) {
      int at = xAt + g * size;
      float meanSquare = ScalarSums.dot(x, at, x, at, size) / size;
      float factor = 1 / (float) Math.sqrt(meanSquare + epsilon);
      for (int i = 0; i < size; i++) {
        float value = x[at + i] * factor;
        y[yAt + g * size + i] = weight == null ? value : value * weight[g * weightStride + i];
      }
    }
  }

  @Override
  public void layer(
      float[] x,
      int xAt,
      int groups,
      int size,
      float[] weight,
      float[] bias,
      int weightStride,
      float epsilon,
      float[] y,
      int yAt) {
    for (int g = 0; g < groups; g++) {
      int at = xAt + g * size;
      int to = yAt + g * size;
      float mean = ScalarSums.sum(x, at, size) / size;
      float variance = ScalarSums.centre(mean, x, at, y, to, size) / size;
      float factor = 1 / (float) Math.sqrt(variance + epsilon);
      for (int i = 0; i < size; i++) {
        float value = y[to + i] * factor;
        value = weight == null ? value : value * weight[g * weightStride + i];
        y[to + i] = bias == null ? value : value + bias[g * weightStride + i];
      }
    }
  }

  @Override
  public void layerBack(
      float[] x, int xAt, int size, float[] weight, float epsilon, float[] g, int gAt) {
    float centre = ScalarSums.sum(x, xAt, size) / size;
    float variance = ScalarSums.centre(centre, x, xAt, x, xAt, size) / size;
    float factor = 1 / (float) Math.sqrt(variance + epsilon);
    for (int i = 0; i < size; i++) {
      x[xAt + i] *= factor;
      g[gAt + i] *= weight[i];
    }
    float mean = ScalarSums.sum(g, gAt, size) / size;
    float slope = ScalarSums.dot(g, gAt, x, xAt, size) / size;
    for (int i = 0; i < size; i++) {
      g[gAt + i] = factor * (g[gAt + i] - mean - x[xAt + i] * slope);
    }
  }

  @Override
  public void l2(
      float[] x, int xAt, int groups, int size, float scale, float epsilon, float[] y, int yAt) {
    for (int g = 0; g < groups; g++) {
      int at = xAt + g * size;
      float factor = scale / (float) Math.sqrt(ScalarSums.dot(x, at, x, at, size) + epsilon);
      for (int i = 0; i < size; i++) {
        y[yAt + g * size + i] = x[at + i] * factor;
      }
    }
  }
}
