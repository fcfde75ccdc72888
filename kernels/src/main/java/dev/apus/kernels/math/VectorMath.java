package dev.apus.kernels.math;

import static dev.apus.kernels.math.Approximations.*;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.NE;

import dev.apus.kernels.Lanes;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link ScalarMath} on every lane. A loop that calls one of these has to stay small, or else the
 * compiler stops inlining them.
 */
public final class VectorMath {

  private static final VectorSpecies<Float> LANES = Lanes.F32;

  private VectorMath() {}

  public static FloatVector exp(FloatVector x) {
    FloatVector shifted = x.fma(LOG2_E, ROUNDER);
    FloatVector n = shifted.sub(ROUNDER);
    FloatVector r = n.fma(of(-LN_2), x);
    r = n.fma(of(-LN_2_REST), r);
    FloatVector p = r.fma(EXP_4, EXP_3);
    p = p.fma(r, of(EXP_2));
    p = p.fma(r, of(EXP_1));
    p = p.fma(r, of(EXP_0));
    p = p.fma(r, of(1));
    p = p.fma(r, of(1));
    var power = shifted.reinterpretAsInts().lanewise(LSHL, FRACTION_BITS);
    FloatVector y = p.reinterpretAsInts().add(power).reinterpretAsFloats();
    y = y.blend(0, x.compare(LT, EXP_LOWEST));
    y = y.blend(Float.POSITIVE_INFINITY, x.compare(GT, EXP_HIGHEST));
    return y.blend(x, x.compare(NE, x));
  }

  public static FloatVector sigmoid(FloatVector x) {
    return of(1).div(exp(x.neg()).add(1));
  }

  public static FloatVector tanh(FloatVector x) {
    FloatVector z = x.mul(x);
    FloatVector p = z.fma(TANH_4, TANH_3);
    p = p.fma(z, of(TANH_2));
    p = p.fma(z, of(TANH_1));
    p = p.fma(z, of(TANH_0));
    FloatVector small = x.mul(z).fma(p, x);
    FloatVector size = x.abs();
    FloatVector large = of(1).sub(of(2).div(exp(size.mul(2)).add(1)));
    large = large.blend(large.neg(), x.compare(LT, 0));
    return large.blend(small, size.compare(LT, TANH_SPLIT));
  }

  public static FloatVector erf(FloatVector x) {
    FloatVector z = x.mul(x);
    FloatVector p = z.fma(ERF_6, ERF_5);
    p = p.fma(z, of(ERF_4));
    p = p.fma(z, of(ERF_3));
    p = p.fma(z, of(ERF_2));
    p = p.fma(z, of(ERF_1));
    p = p.fma(z, of(ERF_0));
    FloatVector small = x.mul(p);
    FloatVector size = x.abs();
    FloatVector a = size.blend(ERF_ONE, size.compare(GT, ERF_ONE));
    FloatVector q = a.fma(ERFC_6, ERFC_5);
    q = q.fma(a, of(ERFC_4));
    q = q.fma(a, of(ERFC_3));
    q = q.fma(a, of(ERFC_2));
    q = q.fma(a, of(ERFC_1));
    q = q.fma(a, of(ERFC_0));
    FloatVector large = of(1).sub(exp(q));
    large = large.blend(large.neg(), x.compare(LT, 0));
    return large.blend(small, size.compare(LT, ERF_SPLIT));
  }

  public static FloatVector softplus(FloatVector x) {
    FloatVector u = exp(x.abs().neg());
    FloatVector s = u.div(u.add(2));
    FloatVector z = s.mul(s);
    FloatVector p = z.fma(LOG_3, LOG_2);
    p = p.fma(z, of(LOG_1));
    p = p.fma(z, of(LOG_0));
    FloatVector log = s.mul(z).fma(p, s.mul(2));
    return of(0).blend(x, x.compare(GT, 0)).add(log);
  }

  private static FloatVector of(float value) {
    return FloatVector.broadcast(LANES, value);
  }
}
