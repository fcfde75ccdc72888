package dev.apus.kernels.math;

import static dev.apus.kernels.math.Approximations.*;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.NE;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link ScalarMath} on every lane.
 *
 * <p>C2 inlines the Vector API's own methods always, but ours only until a compilation has grown to
 * a certain size, and a vector that meets a call which is not inlined is boxed. So a loop calls at
 * most one of these, and neither the loop nor these functions call small helpers of ours.
 */
public final class VectorMath {

  private static final VectorSpecies<Float> LANES = Lanes.F32;

  private VectorMath() {}

  public static FloatVector exp(FloatVector x) {
    FloatVector y = normalExp(x);
    y = y.blend(0, x.compare(LT, EXP_LOWEST));
    y = y.blend(Float.POSITIVE_INFINITY, x.compare(GT, EXP_HIGHEST));
    return y.blend(x, x.compare(NE, x));
  }

  private static FloatVector normalExp(FloatVector x) {
    FloatVector shifted = x.fma(LOG2_E, ROUNDER);
    FloatVector n = shifted.sub(ROUNDER);
    FloatVector r = n.fma(FloatVector.broadcast(LANES, -LN_2), x);
    r = n.fma(FloatVector.broadcast(LANES, -LN_2_REST), r);
    FloatVector p = r.fma(EXP_4, EXP_3);
    p = p.fma(r, FloatVector.broadcast(LANES, EXP_2));
    p = p.fma(r, FloatVector.broadcast(LANES, EXP_1));
    p = p.fma(r, FloatVector.broadcast(LANES, EXP_0));
    p = p.fma(r, FloatVector.broadcast(LANES, 1));
    p = p.fma(r, FloatVector.broadcast(LANES, 1));
    var power = shifted.reinterpretAsInts().lanewise(LSHL, FRACTION_BITS);
    return p.reinterpretAsInts().add(power).reinterpretAsFloats();
  }

  public static FloatVector sigmoid(FloatVector x) {
    return FloatVector.broadcast(LANES, 1).div(exp(x.neg()).add(1));
  }

  /**
   * {@code y ← limit · tanh(x / limit)}, or {@code y ← limit · tanh(x / limit) · y} if gated, for a
   * whole number of vectors.
   *
   * <p>The exponential is written out here: so this method calls none of ours, and is too large to
   * be inlined itself, and its vectors are never boxed, however large its callers are.
   */
  public static void tanh(
      float limit, boolean gated, float[] x, int xAt, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i += LANES.length()) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i).div(limit);
      FloatVector z = v.mul(v);
      FloatVector p = z.fma(TANH_4, TANH_3);
      p = p.fma(z, FloatVector.broadcast(LANES, TANH_2));
      p = p.fma(z, FloatVector.broadcast(LANES, TANH_1));
      p = p.fma(z, FloatVector.broadcast(LANES, TANH_0));
      FloatVector small = v.mul(z).fma(p, v);
      FloatVector size = v.abs();
      FloatVector a = size.blend(TANH_ONE, size.compare(GT, TANH_ONE)).mul(2);
      FloatVector shifted = a.fma(LOG2_E, ROUNDER);
      FloatVector n = shifted.sub(ROUNDER);
      FloatVector r = n.fma(FloatVector.broadcast(LANES, -LN_2), a);
      r = n.fma(FloatVector.broadcast(LANES, -LN_2_REST), r);
      FloatVector e = r.fma(EXP_4, EXP_3);
      e = e.fma(r, FloatVector.broadcast(LANES, EXP_2));
      e = e.fma(r, FloatVector.broadcast(LANES, EXP_1));
      e = e.fma(r, FloatVector.broadcast(LANES, EXP_0));
      e = e.fma(r, FloatVector.broadcast(LANES, 1));
      e = e.fma(r, FloatVector.broadcast(LANES, 1));
      var power = shifted.reinterpretAsInts().lanewise(LSHL, FRACTION_BITS);
      e = e.reinterpretAsInts().add(power).reinterpretAsFloats();
      FloatVector one = FloatVector.broadcast(LANES, 1);
      FloatVector large = one.sub(FloatVector.broadcast(LANES, 2).div(e.add(1)));
      large = large.blend(large.neg(), v.compare(LT, 0));
      FloatVector f = small.blend(large, size.compare(GE, TANH_SPLIT)).mul(limit);
      if (gated) {
        f = f.mul(FloatVector.fromArray(LANES, y, yAt + i));
      }
      f.intoArray(y, yAt + i);
    }
  }

  public static FloatVector erf(FloatVector x) {
    FloatVector z = x.mul(x);
    FloatVector p = z.fma(ERF_5, ERF_4);
    p = p.fma(z, FloatVector.broadcast(LANES, ERF_3));
    p = p.fma(z, FloatVector.broadcast(LANES, ERF_2));
    p = p.fma(z, FloatVector.broadcast(LANES, ERF_1));
    p = p.fma(z, FloatVector.broadcast(LANES, ERF_0));
    FloatVector small = x.mul(p);
    FloatVector size = x.abs();
    FloatVector a = size.blend(ERF_ONE, size.compare(GT, ERF_ONE));
    FloatVector q = a.fma(ERFC_5, ERFC_4);
    q = q.fma(a, FloatVector.broadcast(LANES, ERFC_3));
    q = q.fma(a, FloatVector.broadcast(LANES, ERFC_2));
    q = q.fma(a, FloatVector.broadcast(LANES, ERFC_1));
    q = q.fma(a, FloatVector.broadcast(LANES, ERFC_0));
    FloatVector large = FloatVector.broadcast(LANES, 1).sub(normalExp(q));
    large = large.blend(large.neg(), x.compare(LT, 0));
    return small.blend(large, size.compare(GE, ERF_SPLIT));
  }

  public static FloatVector softplus(FloatVector x) {
    FloatVector u = exp(x.abs().neg());
    FloatVector s = u.div(u.add(2));
    FloatVector z = s.mul(s);
    FloatVector p = z.fma(LOG_3, LOG_2);
    p = p.fma(z, FloatVector.broadcast(LANES, LOG_1));
    p = p.fma(z, FloatVector.broadcast(LANES, LOG_0));
    FloatVector log = s.mul(z).fma(p, s.mul(2));
    return FloatVector.broadcast(LANES, 0).blend(x, x.compare(GT, 0)).add(log);
  }
}
