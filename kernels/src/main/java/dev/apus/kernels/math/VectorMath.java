package dev.apus.kernels.math;

import static dev.apus.kernels.math.Approximations.*;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.NE;

import dev.apus.kernels.Lanes;
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

  public static FloatVector tanh(FloatVector x) {
    FloatVector z = x.mul(x);
    FloatVector p = z.fma(TANH_4, TANH_3);
    p = p.fma(z, FloatVector.broadcast(LANES, TANH_2));
    p = p.fma(z, FloatVector.broadcast(LANES, TANH_1));
    p = p.fma(z, FloatVector.broadcast(LANES, TANH_0));
    FloatVector small = x.mul(z).fma(p, x);
    FloatVector size = x.abs();
    FloatVector a = size.blend(TANH_ONE, size.compare(GT, TANH_ONE));
    FloatVector large =
        FloatVector.broadcast(LANES, 1)
            .sub(FloatVector.broadcast(LANES, 2).div(normalExp(a.mul(2)).add(1)));
    large = large.blend(large.neg(), x.compare(LT, 0));
    return small.blend(large, size.compare(GE, TANH_SPLIT));
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
