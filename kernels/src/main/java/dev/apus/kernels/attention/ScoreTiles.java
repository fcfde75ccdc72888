package dev.apus.kernels.attention;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops that multiply queries by keys. A key vector is one coordinate of as many neighbouring
 * keys as there are lanes; the next coordinate of the same keys is {@link #STEP_BYTES} on.
 */
final class ScoreTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private static final int STEP_BYTES = BlockedAttention.SLOTS * Float.BYTES;

  private ScoreTiles() {}

  /**
   * Four queries, which begin at {@code q0 … q3}, by two key vectors, which begin at bytes {@code
   * k0} and {@code k1}. The scores go to {@code at}, {@code at + stride}, ….
   */
  static void four(
      float[] q,
      int q0,
      int q1,
      int q2,
      int q3,
      int headDim,
      MemorySegment keys,
      long k0,
      long k1,
      float[] scores,
      int at,
      int stride) {
    FloatVector a0 = FloatVector.zero(LANES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    for (int d = 0; d < headDim; d++) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, keys, k0 + d * STEP_BYTES, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(LANES, keys, k1 + d * STEP_BYTES, ORDER);
      FloatVector x = FloatVector.broadcast(LANES, q[q0 + d]);
      a0 = a.fma(x, a0);
      b0 = b.fma(x, b0);
      x = FloatVector.broadcast(LANES, q[q1 + d]);
      a1 = a.fma(x, a1);
      b1 = b.fma(x, b1);
      x = FloatVector.broadcast(LANES, q[q2 + d]);
      a2 = a.fma(x, a2);
      b2 = b.fma(x, b2);
      x = FloatVector.broadcast(LANES, q[q3 + d]);
      a3 = a.fma(x, a3);
      b3 = b.fma(x, b3);
    }
    a0.intoArray(scores, at);
    b0.intoArray(scores, at + LENGTH);
    a1.intoArray(scores, at + stride);
    b1.intoArray(scores, at + stride + LENGTH);
    a2.intoArray(scores, at + 2 * stride);
    b2.intoArray(scores, at + 2 * stride + LENGTH);
    a3.intoArray(scores, at + 3 * stride);
    b3.intoArray(scores, at + 3 * stride + LENGTH);
  }

  /** One query by four key vectors. */
  static void one(
      float[] q,
      int q0,
      int headDim,
      MemorySegment keys,
      long k0,
      long k1,
      long k2,
      long k3,
      float[] scores,
      int at) {
    FloatVector a = FloatVector.zero(LANES);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector e = a;
    for (int d = 0; d < headDim; d++) {
      long next = d * STEP_BYTES;
      FloatVector x = FloatVector.broadcast(LANES, q[q0 + d]);
      a = FloatVector.fromMemorySegment(LANES, keys, k0 + next, ORDER).fma(x, a);
      b = FloatVector.fromMemorySegment(LANES, keys, k1 + next, ORDER).fma(x, b);
      c = FloatVector.fromMemorySegment(LANES, keys, k2 + next, ORDER).fma(x, c);
      e = FloatVector.fromMemorySegment(LANES, keys, k3 + next, ORDER).fma(x, e);
    }
    a.intoArray(scores, at);
    b.intoArray(scores, at + LENGTH);
    c.intoArray(scores, at + 2 * LENGTH);
    e.intoArray(scores, at + 3 * LENGTH);
  }
}
