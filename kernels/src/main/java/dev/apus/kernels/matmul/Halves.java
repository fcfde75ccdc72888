package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.S2I;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** IEEE half precision to float, for every bit pattern; the Vector API has no such conversion. */
final class Halves {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final VectorSpecies<Short> S = Lanes.I16;

  /** What a half's exponent lacks to be a float's: 127 − 15, in place. */
  private static final int REBIAS = 112 << 23;

  private static final int MAGNITUDE = 0x7fff;
  private static final int SMALLEST_NORMAL = 0x0400;
  private static final int INFINITY = 0x7c00;

  private Halves() {}

  /** Decodes one half for each row of a panel. */
  static void decode(MemorySegment packed, long at, float[] floats, int floatsAt) {
    for (int i = 0; i < Matmul.PANEL_ROWS; i += F.length()) {
      IntVector half =
          (IntVector)
              ShortVector.fromMemorySegment(S, packed, at + 2L * i, ByteOrder.LITTLE_ENDIAN)
                  .convertShape(S2I, I, 0);
      IntVector magnitude = half.and(MAGNITUDE);
      VectorMask<Integer> subnormal = magnitude.compare(LT, SMALLEST_NORMAL);
      VectorMask<Integer> notFinite = magnitude.compare(GE, INFINITY);
      IntVector rebiased = magnitude.lanewise(LSHL, 13).add(REBIAS);
      IntVector bits = rebiased.blend(rebiased.add(REBIAS), notFinite);
      // Integers, because arithmetic on subnormal floats is slow on some machines.
      IntVector small =
          ((FloatVector) magnitude.convertShape(I2F, F, 0)).mul(0x1p-24f).reinterpretAsInts();
      IntVector sign = half.and(~MAGNITUDE).lanewise(LSHL, 16);
      bits.blend(small, subnormal).or(sign).reinterpretAsFloats().intoArray(floats, floatsAt + i);
    }
  }
}
