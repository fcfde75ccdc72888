package dev.apus.kernels.scan;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link GatedScan} with channels in lanes, and their memory in registers for all tokens. */
public final class VectorGatedScan implements GatedScan {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final long BYTES = 4L * LENGTH;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private final ScalarGatedScan scalar = new ScalarGatedScan();

  public VectorGatedScan() {}

  @Override
  public void scan(
      int from,
      int to,
      int tokens,
      float[] a,
      int aAt,
      int aStride,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long stateAt) {
    int c = from;
    for (; c + 4 * LENGTH <= to; c += 4 * LENGTH) {
      four(tokens, a, aAt + c, aStride, x, xAt + c, xStride, state, stateAt + c * 4L);
    }
    for (; c + LENGTH <= to; c += LENGTH) {
      one(tokens, a, aAt + c, aStride, x, xAt + c, xStride, state, stateAt + c * 4L);
    }
    scalar.scan(c, to, tokens, a, aAt, aStride, x, xAt, xStride, state, stateAt);
  }

  private static void four(
      int tokens,
      float[] a,
      int aAt,
      int aStride,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long at) {
    FloatVector h0 = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
    FloatVector h1 = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER);
    FloatVector h2 = FloatVector.fromMemorySegment(LANES, state, at + 2 * BYTES, ORDER);
    FloatVector h3 = FloatVector.fromMemorySegment(LANES, state, at + 3 * BYTES, ORDER);
    for (int t = 0; t < tokens; t++, aAt += aStride, xAt += xStride) {
      int x1 = xAt + LENGTH;
      int x2 = xAt + 2 * LENGTH;
      int x3 = xAt + 3 * LENGTH;
      h0 = h0.fma(FloatVector.fromArray(LANES, a, aAt), FloatVector.fromArray(LANES, x, xAt));
      h1 =
          h1.fma(
              FloatVector.fromArray(LANES, a, aAt + LENGTH), FloatVector.fromArray(LANES, x, x1));
      h2 =
          h2.fma(
              FloatVector.fromArray(LANES, a, aAt + 2 * LENGTH),
              FloatVector.fromArray(LANES, x, x2));
      h3 =
          h3.fma(
              FloatVector.fromArray(LANES, a, aAt + 3 * LENGTH),
              FloatVector.fromArray(LANES, x, x3));
      h0.intoArray(x, xAt);
      h1.intoArray(x, x1);
      h2.intoArray(x, x2);
      h3.intoArray(x, x3);
    }
    h0.intoMemorySegment(state, at, ORDER);
    h1.intoMemorySegment(state, at + BYTES, ORDER);
    h2.intoMemorySegment(state, at + 2 * BYTES, ORDER);
    h3.intoMemorySegment(state, at + 3 * BYTES, ORDER);
  }

  private static void one(
      int tokens,
      float[] a,
      int aAt,
      int aStride,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long at) {
    FloatVector h = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
    for (int t = 0; t < tokens; t++, aAt += aStride, xAt += xStride) {
      h = h.fma(FloatVector.fromArray(LANES, a, aAt), FloatVector.fromArray(LANES, x, xAt));
      h.intoArray(x, xAt);
    }
    h.intoMemorySegment(state, at, ORDER);
  }
}
