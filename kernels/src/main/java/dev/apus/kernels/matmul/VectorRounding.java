package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.MAX;

import dev.apus.kernels.math.Lanes;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link RoundedInputs} with the Vector API. */
final class VectorRounding {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int L = F.length();
  private static final int SPAN = RoundedInputs.SPAN;
  private static final int MAGNITUDE = 0x7fffffff;

  private VectorRounding() {}

  /**
   * Rounds the spans of one token.
   *
   * @param toStride from a span to the next
   */
  static void round(float[] x, int xAt, int cols, int zero, float[] to, int toAt, int toStride) {
    for (int from = 0; from < cols; from += SPAN) {
      span(x, xAt + from, zero, to, toAt);
      toAt += toStride;
    }
  }

  private static void span(float[] x, int xAt, int zero, float[] to, int toAt) {
    // As words, floats without a sign are ordered like their values, with NaN above all.
    IntVector most = FloatVector.fromArray(F, x, xAt).reinterpretAsInts().and(MAGNITUDE);
    for (int i = L; i < SPAN; i += L) {
      most = most.max(FloatVector.fromArray(F, x, xAt + i).reinterpretAsInts().and(MAGNITUDE));
    }
    float largest = Float.intBitsToFloat(most.reduceLanes(MAX));
    FloatVector perScale = FloatVector.broadcast(F, RoundedInputs.perScale(largest));
    FloatVector rounding = FloatVector.broadcast(F, RoundedInputs.ROUNDING);
    IntVector sum = IntVector.zero(Lanes.I32);
    for (int i = 0; i < SPAN; i += L) {
      IntVector bits =
          FloatVector.fromArray(F, x, xAt + i).mul(perScale).add(rounding).reinterpretAsInts();
      sum = sum.add(bits);
      bits.and(0xffff)
          .or(bits.lanewise(LSHL, Short.SIZE))
          .reinterpretAsFloats()
          .intoArray(to, toAt + i);
    }
    int total = sum.reduceLanes(ADD) - SPAN * RoundedInputs.ROUNDING_BITS;
    RoundedInputs.finish(largest, total, zero, to, toAt);
  }
}
