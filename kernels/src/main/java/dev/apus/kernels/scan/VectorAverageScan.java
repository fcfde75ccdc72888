package dev.apus.kernels.scan;

import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GE;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorMath;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link AverageScan} with channels in lanes. Reading and writing are loops of their own, because a
 * loop that computes two exponentials is too long for the compiler to inline both.
 */
public final class VectorAverageScan implements AverageScan {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private final ScalarAverageScan scalar = new ScalarAverageScan();

  public VectorAverageScan() {}

  @Override
  public void scan(
      int from,
      int to,
      int channels,
      int tokens,
      float[] w,
      float[] u,
      Rows k,
      Rows v,
      Rows o,
      MemorySegment state,
      long stateAt) {
    int whole = LANES.loopBound(to - from);
    long at = stateAt + 4L * from;
    long row = 4L * channels;
    for (int t = 0; t < tokens; t++) {
      int kAt = k.start(t) + from;
      int vAt = v.start(t) + from;
      read(
          whole,
          u,
          from,
          k.data(),
          kAt,
          v.data(),
          vAt,
          o.data(),
          o.start(t) + from,
          state,
          at,
          row);
      write(whole, w, from, k.data(), kAt, v.data(), vAt, state, at, row);
    }
    scalar.scan(from + whole, to, channels, tokens, w, u, k, v, o, state, stateAt);
  }

  private static void read(
      int count,
      float[] u,
      int uAt,
      float[] k,
      int kAt,
      float[] v,
      int vAt,
      float[] o,
      int oAt,
      MemorySegment state,
      long stateAt,
      long row) {
    for (int c = 0; c < count; c += LANES.length()) {
      long at = stateAt + 4L * c;
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(LANES, state, at + row, ORDER);
      FloatVector p = FloatVector.fromMemorySegment(LANES, state, at + 2 * row, ORDER);
      p = p.blend(NOTHING, b.compare(EQ, 0));
      FloatVector key =
          FloatVector.fromArray(LANES, k, kAt + c).add(FloatVector.fromArray(LANES, u, uAt + c));
      FloatVector ahead = p.sub(key);
      FloatVector less = VectorMath.exp(ahead.abs().neg());
      var older = ahead.compare(GE, 0);
      FloatVector old = less.blend(1, older);
      FloatVector now = FloatVector.broadcast(LANES, 1).blend(less, older);
      FloatVector sum = old.fma(a, now.mul(FloatVector.fromArray(LANES, v, vAt + c)));
      sum.div(old.fma(b, now)).intoArray(o, oAt + c);
    }
  }

  private static void write(
      int count,
      float[] w,
      int wAt,
      float[] k,
      int kAt,
      float[] v,
      int vAt,
      MemorySegment state,
      long stateAt,
      long row) {
    for (int c = 0; c < count; c += LANES.length()) {
      long at = stateAt + 4L * c;
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(LANES, state, at + row, ORDER);
      FloatVector p = FloatVector.fromMemorySegment(LANES, state, at + 2 * row, ORDER);
      FloatVector faded =
          p.blend(NOTHING, b.compare(EQ, 0)).add(FloatVector.fromArray(LANES, w, wAt + c));
      FloatVector key = FloatVector.fromArray(LANES, k, kAt + c);
      FloatVector ahead = faded.sub(key);
      FloatVector less = VectorMath.exp(ahead.abs().neg());
      var older = ahead.compare(GE, 0);
      FloatVector old = less.blend(1, older);
      FloatVector now = FloatVector.broadcast(LANES, 1).blend(less, older);
      old.fma(a, now.mul(FloatVector.fromArray(LANES, v, vAt + c)))
          .intoMemorySegment(state, at, ORDER);
      old.fma(b, now).intoMemorySegment(state, at + row, ORDER);
      key.blend(faded, older).intoMemorySegment(state, at + 2 * row, ORDER);
    }
  }
}
