package dev.apus.kernels.activation;

import dev.apus.kernels.math.ScalarMath;
import dev.apus.kernels.math.ScalarSums;
import java.util.Arrays;

/** The definition of {@link Activations}. */
public final class ScalarActivations implements Activations {

  /** {@code √½}, for Φ(x) = (1 + erf(x √½)) / 2. */
  static final float ROOT_HALF = 0.70710678118654752f;

  static final float QUICK = -1.702f;

  /** {@code −2 √(2/π)} and 0.044715 times it. */
  static final float TANH_LINEAR = -1.5957691216057308f;

  static final float TANH_CUBIC = 0.044715f * TANH_LINEAR;

  public ScalarActivations() {}

  @Override
  public void apply(Activation f, float[] x, int xAt, int count) {
    for (int i = xAt; i < xAt + count; i++) {
      x[i] = value(f, x[i]);
    }
  }

  @Override
  public void gate(Activation f, float[] gate, int gateAt, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      y[yAt + i] = value(f, gate[gateAt + i]) * y[yAt + i];
    }
  }

  @Override
  public void slope(Activation f, float[] x, int xAt, float[] y, int yAt, int count) {
    requireSlope(f);
    for (int i = 0; i < count; i++) {
      y[yAt + i] = slope(f, x[xAt + i]) * y[yAt + i];
    }
  }

  @Override
  public void softmax(float[] x, int xAt, int count) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = xAt; i < xAt + count; i++) {
      max = Math.max(max, x[i]);
    }
    if (max == Float.NEGATIVE_INFINITY) {
      Arrays.fill(x, xAt, xAt + count, 0);
      return;
    }
    for (int i = xAt; i < xAt + count; i++) {
      x[i] = ScalarMath.exp(x[i] - max);
    }
    float factor = 1 / ScalarSums.sum(x, xAt, count);
    for (int i = xAt; i < xAt + count; i++) {
      x[i] = x[i] * factor;
    }
  }

  @Override
  public void softcap(float limit, float[] x, int xAt, int count) {
    for (int i = xAt; i < xAt + count; i++) {
      x[i] = limit * ScalarMath.tanh(x[i] / limit);
    }
  }

  @Override
  public float dot(float[] x, int xAt, float[] y, int yAt, int count) {
    return ScalarSums.dot(x, xAt, y, yAt, count);
  }

  @Override
  public void addScaled(float scale, float[] x, int xAt, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      y[yAt + i] = Math.fma(scale, x[xAt + i], y[yAt + i]);
    }
  }

  static void requireSlope(Activation f) {
    if (f != Activation.SILU && f != Activation.GELU_TANH) {
      throw new IllegalArgumentException(f + " has no slope; SILU and GELU_TANH have");
    }
  }

  static float slope(Activation f, float x) {
    float z = x * x;
    float a = f == Activation.SILU ? -x : x * Math.fma(z, TANH_CUBIC, TANH_LINEAR);
    float minusRate = f == Activation.SILU ? 1 : -Math.fma(z, 3 * TANH_CUBIC, TANH_LINEAR);
    float s = 1 / (1 + ScalarMath.exp(a));
    return s * Math.fma(x * (1 - s), minusRate, 1);
  }

  static float value(Activation f, float x) {
    return switch (f) {
      case IDENTITY -> x;
      case SILU -> x / (1 + ScalarMath.exp(-x));
      case GELU -> 0.5f * x * (1 + ScalarMath.erf(x * ROOT_HALF));
      case GELU_TANH -> x / (1 + ScalarMath.exp(x * Math.fma(x * x, TANH_CUBIC, TANH_LINEAR)));
      case QUICK_GELU -> x / (1 + ScalarMath.exp(QUICK * x));
      case RELU -> Math.max(x, 0);
      case RELU_SQUARED -> Math.max(x, 0) * Math.max(x, 0);
      case SIGMOID -> ScalarMath.sigmoid(x);
      case TANH -> ScalarMath.tanh(x);
      case EXP -> ScalarMath.exp(x);
      case SOFTPLUS -> ScalarMath.softplus(x);
    };
  }
}
