package dev.apus.kernels.activation;

import static jdk.incubator.vector.VectorOperators.MAX;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.ScalarMath;
import dev.apus.kernels.math.VectorMath;
import dev.apus.kernels.math.VectorSums;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Activations} by vectors.
 *
 * <p>Each function has a loop of its own, small enough for the compiler to inline what it calls,
 * which writes {@code y ← f(x)} or, if gated, {@code y ← f(x) · y}.
 */
public final class VectorActivations implements Activations {

  private static final VectorSpecies<Float> LANES = Lanes.F32;

  public VectorActivations() {}

  @Override
  public void apply(Activation f, float[] x, int xAt, int count) {
    int whole = LANES.loopBound(count);
    map(f, false, x, xAt, x, xAt, whole);
    for (int i = xAt + whole; i < xAt + count; i++) {
      x[i] = ScalarActivations.value(f, x[i]);
    }
  }

  @Override
  public void gate(Activation f, float[] gate, int gateAt, float[] y, int yAt, int count) {
    int whole = LANES.loopBound(count);
    map(f, true, gate, gateAt, y, yAt, whole);
    for (int i = whole; i < count; i++) {
      y[yAt + i] = ScalarActivations.value(f, gate[gateAt + i]) * y[yAt + i];
    }
  }

  @Override
  public void slope(Activation f, float[] x, int xAt, float[] y, int yAt, int count) {
    ScalarActivations.requireSlope(f);
    int whole = LANES.loopBound(count);
    if (f == Activation.SILU) {
      logisticSlope(x, xAt, y, yAt, whole);
    } else {
      geluSlope(x, xAt, y, yAt, whole);
    }
    for (int i = whole; i < count; i++) {
      y[yAt + i] = ScalarActivations.slope(f, x[xAt + i]) * y[yAt + i];
    }
  }

  @Override
  public void softmax(float[] x, int xAt, int count) {
    float max = max(x, xAt, count);
    if (max == Float.NEGATIVE_INFINITY) {
      Arrays.fill(x, xAt, xAt + count, 0);
      return;
    }
    exponentiate(max, x, xAt, count);
    multiply(1 / VectorSums.sum(x, xAt, count), x, xAt, count);
  }

  @Override
  public void softcap(float limit, float[] x, int xAt, int count) {
    int whole = LANES.loopBound(count);
    VectorMath.tanh(limit, false, x, xAt, x, xAt, whole);
    for (int i = xAt + whole; i < xAt + count; i++) {
      x[i] = limit * ScalarActivations.value(Activation.TANH, x[i] / limit);
    }
  }

  @Override
  public float dot(float[] x, int xAt, float[] y, int yAt, int count) {
    return VectorSums.dot(x, xAt, y, yAt, count);
  }

  @Override
  public void addScaled(float scale, float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i < LANES.loopBound(count); i += LANES.length()) {
      FloatVector sum = FloatVector.fromArray(LANES, y, yAt + i);
      FloatVector.broadcast(LANES, scale)
          .fma(FloatVector.fromArray(LANES, x, xAt + i), sum)
          .intoArray(y, yAt + i);
    }
    for (; i < count; i++) {
      y[yAt + i] = Math.fma(scale, x[xAt + i], y[yAt + i]);
    }
  }

  private static float max(float[] x, int xAt, int count) {
    FloatVector maxima = FloatVector.broadcast(LANES, Float.NEGATIVE_INFINITY);
    int i = 0;
    for (; i < LANES.loopBound(count); i += LANES.length()) {
      maxima = maxima.max(FloatVector.fromArray(LANES, x, xAt + i));
    }
    float max = maxima.reduceLanes(MAX);
    for (; i < count; i++) {
      max = Math.max(max, x[xAt + i]);
    }
    return max;
  }

  /** {@code x ← e^(x − max)}. */
  private static void exponentiate(float max, float[] x, int xAt, int count) {
    int i = xAt;
    for (; i < xAt + LANES.loopBound(count); i += LANES.length()) {
      VectorMath.exp(FloatVector.fromArray(LANES, x, i).sub(max)).intoArray(x, i);
    }
    for (; i < xAt + count; i++) {
      x[i] = ScalarMath.exp(x[i] - max);
    }
  }

  private static void multiply(float factor, float[] x, int xAt, int count) {
    int i = xAt;
    for (; i < xAt + LANES.loopBound(count); i += LANES.length()) {
      FloatVector.fromArray(LANES, x, i).mul(factor).intoArray(x, i);
    }
    for (; i < xAt + count; i++) {
      x[i] = x[i] * factor;
    }
  }

  private static void map(
      Activation f, boolean gated, float[] x, int xAt, float[] y, int yAt, int whole) {
    switch (f) {
      case IDENTITY -> identity(gated, x, xAt, y, yAt, whole);
      case SILU -> logisticUnit(-1, gated, x, xAt, y, yAt, whole);
      case GELU -> gelu(gated, x, xAt, y, yAt, whole);
      case GELU_TANH -> geluTanh(gated, x, xAt, y, yAt, whole);
      case QUICK_GELU -> logisticUnit(ScalarActivations.QUICK, gated, x, xAt, y, yAt, whole);
      case RELU -> relu(gated, x, xAt, y, yAt, whole);
      case RELU_SQUARED -> reluSquared(gated, x, xAt, y, yAt, whole);
      case SIGMOID -> sigmoid(gated, x, xAt, y, yAt, whole);
      case TANH -> VectorMath.tanh(1, gated, x, xAt, y, yAt, whole);
      case EXP -> exp(gated, x, xAt, y, yAt, whole);
      case SOFTPLUS -> softplus(gated, x, xAt, y, yAt, whole);
    }
  }

  private static void identity(boolean gated, float[] x, int xAt, float[] y, int yAt, int whole) {
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector f = v;
      if (gated) {
        f = f.mul(FloatVector.fromArray(LANES, y, yAt + i));
      }
      f.intoArray(y, yAt + i);
    }
  }

  private static void logisticUnit(
      float factor, boolean gated, float[] x, int xAt, float[] y, int yAt, int whole) {
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector f = v.div(VectorMath.exp(v.mul(factor)).add(1));
      if (gated) {
        f = f.mul(FloatVector.fromArray(LANES, y, yAt + i));
      }
      f.intoArray(y, yAt + i);
    }
  }

  private static void gelu(boolean gated, float[] x, int xAt, float[] y, int yAt, int whole) {
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector erf = VectorMath.erf(v.mul(ScalarActivations.ROOT_HALF));
      FloatVector f = v.mul(0.5f).mul(erf.add(1));
      if (gated) {
        f = f.mul(FloatVector.fromArray(LANES, y, yAt + i));
      }
      f.intoArray(y, yAt + i);
    }
  }

  private static void geluTanh(boolean gated, float[] x, int xAt, float[] y, int yAt, int whole) {
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector slope = v.mul(v).fma(ScalarActivations.TANH_CUBIC, ScalarActivations.TANH_LINEAR);
      FloatVector f = v.div(VectorMath.exp(v.mul(slope)).add(1));
      if (gated) {
        f = f.mul(FloatVector.fromArray(LANES, y, yAt + i));
      }
      f.intoArray(y, yAt + i);
    }
  }

  private static void logisticSlope(float[] x, int xAt, float[] y, int yAt, int whole) {
    FloatVector one = FloatVector.broadcast(LANES, 1);
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector s = VectorMath.sigmoid(v);
      FloatVector f = v.mul(one.sub(s)).fma(one, one).mul(s);
      f.mul(FloatVector.fromArray(LANES, y, yAt + i)).intoArray(y, yAt + i);
    }
  }

  private static void geluSlope(float[] x, int xAt, float[] y, int yAt, int whole) {
    FloatVector one = FloatVector.broadcast(LANES, 1);
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector z = v.mul(v);
      FloatVector a = z.fma(ScalarActivations.TANH_CUBIC, ScalarActivations.TANH_LINEAR).mul(v);
      FloatVector minusRate =
          z.fma(3 * ScalarActivations.TANH_CUBIC, ScalarActivations.TANH_LINEAR).neg();
      FloatVector s = one.div(VectorMath.exp(a).add(1));
      FloatVector f = v.mul(one.sub(s)).fma(minusRate, one).mul(s);
      f.mul(FloatVector.fromArray(LANES, y, yAt + i)).intoArray(y, yAt + i);
    }
  }

  private static void relu(boolean gated, float[] x, int xAt, float[] y, int yAt, int whole) {
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector f = v.max(0);
      if (gated) {
        f = f.mul(FloatVector.fromArray(LANES, y, yAt + i));
      }
      f.intoArray(y, yAt + i);
    }
  }

  private static void reluSquared(
      boolean gated, float[] x, int xAt, float[] y, int yAt, int whole) {
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector f = v.max(0).mul(v.max(0));
      if (gated) {
        f = f.mul(FloatVector.fromArray(LANES, y, yAt + i));
      }
      f.intoArray(y, yAt + i);
    }
  }

  private static void sigmoid(boolean gated, float[] x, int xAt, float[] y, int yAt, int whole) {
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector f = VectorMath.sigmoid(v);
      if (gated) {
        f = f.mul(FloatVector.fromArray(LANES, y, yAt + i));
      }
      f.intoArray(y, yAt + i);
    }
  }

  private static void exp(boolean gated, float[] x, int xAt, float[] y, int yAt, int whole) {
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector f = VectorMath.exp(v);
      if (gated) {
        f = f.mul(FloatVector.fromArray(LANES, y, yAt + i));
      }
      f.intoArray(y, yAt + i);
    }
  }

  private static void softplus(boolean gated, float[] x, int xAt, float[] y, int yAt, int whole) {
    for (int i = 0; i < whole; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      FloatVector f = VectorMath.softplus(v);
      if (gated) {
        f = f.mul(FloatVector.fromArray(LANES, y, yAt + i));
      }
      f.intoArray(y, yAt + i);
    }
  }
}
