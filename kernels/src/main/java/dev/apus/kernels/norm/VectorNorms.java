package dev.apus.kernels.norm;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorSums;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link Norms} by vectors. */
public final class VectorNorms implements Norms {

  private static final VectorSpecies<Float> LANES = Lanes.F32;

  public VectorNorms() {}

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
      int from = xAt + g * size;
      float meanSquare = VectorSums.dot(x, from, x, from, size) / size;
      float factor = 1 / (float) Math.sqrt(meanSquare + epsilon);
      if (weight == null) {
        scale(factor, x, from, y, yAt + g * size, size);
      } else {
        scale(factor, x, from, weight, g * weightStride, y, yAt + g * size, size);
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
      int from = xAt + g * size;
      int to = yAt + g * size;
      float mean = VectorSums.sum(x, from, size) / size;
      float variance = VectorSums.centre(mean, x, from, y, to, size) / size;
      float factor = 1 / (float) Math.sqrt(variance + epsilon);
      if (weight == null) {
        scale(factor, y, to, y, to, size);
      } else {
        scale(factor, y, to, weight, g * weightStride, y, to, size);
      }
      if (bias != null) {
        add(bias, g * weightStride, y, to, size);
      }
    }
  }

  @Override
  public void layerBack(
      float[] x, int xAt, int size, float[] weight, float epsilon, float[] g, int gAt) {
    float centre = VectorSums.sum(x, xAt, size) / size;
    float variance = VectorSums.centre(centre, x, xAt, x, xAt, size) / size;
    float factor = 1 / (float) Math.sqrt(variance + epsilon);
    scale(factor, x, xAt, x, xAt, size);
    scale(1, g, gAt, weight, 0, g, gAt, size);
    float mean = VectorSums.sum(g, gAt, size) / size;
    float slope = VectorSums.dot(g, gAt, x, xAt, size) / size;
    int i = 0;
    for (; i < LANES.loopBound(size); i += LANES.length()) {
      FloatVector along = FloatVector.fromArray(LANES, x, xAt + i).mul(slope);
      FloatVector h = FloatVector.fromArray(LANES, g, gAt + i);
      h.sub(mean).sub(along).mul(factor).intoArray(g, gAt + i);
    }
    for (; i < size; i++) {
      g[gAt + i] = factor * (g[gAt + i] - mean - x[xAt + i] * slope);
    }
  }

  @Override
  public void l2(
      float[] x, int xAt, int groups, int size, float scale, float epsilon, float[] y, int yAt) {
    for (int g = 0; g < groups; g++) {
      int from = xAt + g * size;
      float factor = scale / (float) Math.sqrt(VectorSums.dot(x, from, x, from, size) + epsilon);
      scale(factor, x, from, y, yAt + g * size, size);
    }
  }

  private static void scale(float factor, float[] x, int xAt, float[] y, int yAt, int size) {
    int i = 0;
    for (; i < LANES.loopBound(size); i += LANES.length()) {
      FloatVector.fromArray(LANES, x, xAt + i).mul(factor).intoArray(y, yAt + i);
    }
    for (; i < size; i++) {
      y[yAt + i] = x[xAt + i] * factor;
    }
  }

  private static void scale(
      float factor,
      float[] x,
      int xAt,
      float[] weight,
      int weightAt,
      float[] y,
      int yAt,
      int size) {
    int i = 0;
    for (; i < LANES.loopBound(size); i += LANES.length()) {
      FloatVector w = FloatVector.fromArray(LANES, weight, weightAt + i);
      FloatVector.fromArray(LANES, x, xAt + i).mul(factor).mul(w).intoArray(y, yAt + i);
    }
    for (; i < size; i++) {
      y[yAt + i] = x[xAt + i] * factor * weight[weightAt + i];
    }
  }

  private static void add(float[] x, int xAt, float[] y, int yAt, int size) {
    int i = 0;
    for (; i < LANES.loopBound(size); i += LANES.length()) {
      FloatVector sum = FloatVector.fromArray(LANES, y, yAt + i);
      sum.add(FloatVector.fromArray(LANES, x, xAt + i)).intoArray(y, yAt + i);
    }
    for (; i < size; i++) {
      y[yAt + i] += x[xAt + i];
    }
  }
}
