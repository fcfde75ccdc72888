package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Writes of a chunk to some rows of a matrix, and reads with keys of the next chunk while the cells
 * are in registers: what {@link WriteTiles} and {@link ReadTiles} do one after the other, for
 * machines that have registers for both. Columns that do not fill two vectors are left to these.
 */
final class WriteReadTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Keys that {@link #eight} reads with. */
  static final int ROWS = 8;

  private WriteReadTiles() {}

  /**
   * Writes and reads with eight keys: {@code out[r] ← out[r] + Sᵀ c[r]}.
   *
   * @param i the number of the first of the matrix's rows
   * @param cAt where the first key's values for these rows begin, the others {@code keyDim} apart
   * @param outAt where the first of eight rows of answers begins, {@code valueDim} apart
   * @return how many columns have been written and read
   */
  static int eight(
      Chunk done, int i, int cAt, int rows, MemorySegment state, long at, float[] x, int outAt) {
    int keyDim = done.shape().keyDim();
    int valueDim = done.shape().valueDim();
    int keptAt = done.keptAt() + i;
    int kAt = done.writeAt(0) + i;
    int j = 0;
    for (; j + 2 * LENGTH <= valueDim; j += 2 * LENGTH, at += 2 * BYTES) {
      int uAt = done.writtenAt(0) + j;
      int to = outAt + j;
      eightByTwo(x, keptAt, kAt, uAt, cAt, keyDim, rows, state, at, valueDim, to);
    }
    return j;
  }

  private static void eightByTwo(
      float[] x,
      int keptAt,
      int kAt,
      int uAt,
      int cAt,
      int keyDim,
      int rows,
      MemorySegment state,
      long at,
      int valueDim,
      int outAt) {
    FloatVector u0 = FloatVector.fromArray(LANES, x, uAt);
    FloatVector v0 = FloatVector.fromArray(LANES, x, uAt + LENGTH);
    FloatVector u1 = FloatVector.fromArray(LANES, x, uAt + valueDim);
    FloatVector v1 = FloatVector.fromArray(LANES, x, uAt + valueDim + LENGTH);
    FloatVector u2 = FloatVector.fromArray(LANES, x, uAt + 2 * valueDim);
    FloatVector v2 = FloatVector.fromArray(LANES, x, uAt + 2 * valueDim + LENGTH);
    FloatVector u3 = FloatVector.fromArray(LANES, x, uAt + 3 * valueDim);
    FloatVector v3 = FloatVector.fromArray(LANES, x, uAt + 3 * valueDim + LENGTH);
    int k1At = kAt + keyDim;
    int k2At = k1At + keyDim;
    int k3At = k2At + keyDim;
    int c1At = cAt + keyDim;
    int c2At = c1At + keyDim;
    int c3At = c2At + keyDim;
    int c4At = c3At + keyDim;
    int c5At = c4At + keyDim;
    int c6At = c5At + keyDim;
    int c7At = c6At + keyDim;
    int out1At = outAt + valueDim;
    int out2At = out1At + valueDim;
    int out3At = out2At + valueDim;
    int out4At = out3At + valueDim;
    int out5At = out4At + valueDim;
    int out6At = out5At + valueDim;
    int out7At = out6At + valueDim;
    FloatVector a0 = FloatVector.fromArray(LANES, x, outAt);
    FloatVector b0 = FloatVector.fromArray(LANES, x, outAt + LENGTH);
    FloatVector a1 = FloatVector.fromArray(LANES, x, out1At);
    FloatVector b1 = FloatVector.fromArray(LANES, x, out1At + LENGTH);
    FloatVector a2 = FloatVector.fromArray(LANES, x, out2At);
    FloatVector b2 = FloatVector.fromArray(LANES, x, out2At + LENGTH);
    FloatVector a3 = FloatVector.fromArray(LANES, x, out3At);
    FloatVector b3 = FloatVector.fromArray(LANES, x, out3At + LENGTH);
    FloatVector a4 = FloatVector.fromArray(LANES, x, out4At);
    FloatVector b4 = FloatVector.fromArray(LANES, x, out4At + LENGTH);
    FloatVector a5 = FloatVector.fromArray(LANES, x, out5At);
    FloatVector b5 = FloatVector.fromArray(LANES, x, out5At + LENGTH);
    FloatVector a6 = FloatVector.fromArray(LANES, x, out6At);
    FloatVector b6 = FloatVector.fromArray(LANES, x, out6At + LENGTH);
    FloatVector a7 = FloatVector.fromArray(LANES, x, out7At);
    FloatVector b7 = FloatVector.fromArray(LANES, x, out7At + LENGTH);
    long rowBytes = valueDim * 4L;
    for (int i = 0; i < rows; i++, at += rowBytes) {
      FloatVector c = FloatVector.broadcast(LANES, x[keptAt + i]);
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER).mul(c);
      FloatVector b = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER).mul(c);
      c = FloatVector.broadcast(LANES, x[kAt + i]);
      a = u0.fma(c, a);
      b = v0.fma(c, b);
      c = FloatVector.broadcast(LANES, x[k1At + i]);
      a = u1.fma(c, a);
      b = v1.fma(c, b);
      c = FloatVector.broadcast(LANES, x[k2At + i]);
      a = u2.fma(c, a);
      b = v2.fma(c, b);
      c = FloatVector.broadcast(LANES, x[k3At + i]);
      a = u3.fma(c, a);
      b = v3.fma(c, b);
      a.intoMemorySegment(state, at, ORDER);
      b.intoMemorySegment(state, at + BYTES, ORDER);
      c = FloatVector.broadcast(LANES, x[cAt + i]);
      a0 = a.fma(c, a0);
      b0 = b.fma(c, b0);
      c = FloatVector.broadcast(LANES, x[c1At + i]);
      a1 = a.fma(c, a1);
      b1 = b.fma(c, b1);
      c = FloatVector.broadcast(LANES, x[c2At + i]);
      a2 = a.fma(c, a2);
      b2 = b.fma(c, b2);
      c = FloatVector.broadcast(LANES, x[c3At + i]);
      a3 = a.fma(c, a3);
      b3 = b.fma(c, b3);
      c = FloatVector.broadcast(LANES, x[c4At + i]);
      a4 = a.fma(c, a4);
      b4 = b.fma(c, b4);
      c = FloatVector.broadcast(LANES, x[c5At + i]);
      a5 = a.fma(c, a5);
      b5 = b.fma(c, b5);
      c = FloatVector.broadcast(LANES, x[c6At + i]);
      a6 = a.fma(c, a6);
      b6 = b.fma(c, b6);
      c = FloatVector.broadcast(LANES, x[c7At + i]);
      a7 = a.fma(c, a7);
      b7 = b.fma(c, b7);
    }
    a0.intoArray(x, outAt);
    b0.intoArray(x, outAt + LENGTH);
    a1.intoArray(x, out1At);
    b1.intoArray(x, out1At + LENGTH);
    a2.intoArray(x, out2At);
    b2.intoArray(x, out2At + LENGTH);
    a3.intoArray(x, out3At);
    b3.intoArray(x, out3At + LENGTH);
    a4.intoArray(x, out4At);
    b4.intoArray(x, out4At + LENGTH);
    a5.intoArray(x, out5At);
    b5.intoArray(x, out5At + LENGTH);
    a6.intoArray(x, out6At);
    b6.intoArray(x, out6At + LENGTH);
    a7.intoArray(x, out7At);
    b7.intoArray(x, out7At + LENGTH);
  }

  /**
   * Writes and reads with two keys, which may be the same.
   *
   * @return how many columns have been written and read
   */
  static int two(
      Chunk done,
      int i,
      int aAt,
      int bAt,
      int rows,
      MemorySegment state,
      long at,
      float[] x,
      int aOutAt,
      int bOutAt) {
    int keyDim = done.shape().keyDim();
    int valueDim = done.shape().valueDim();
    int keptAt = done.keptAt() + i;
    int kAt = done.writeAt(0) + i;
    int j = 0;
    for (; j + 2 * LENGTH <= valueDim; j += 2 * LENGTH, at += 2 * BYTES) {
      int uAt = done.writtenAt(0) + j;
      int aTo = aOutAt + j;
      int bTo = bOutAt + j;
      twoByTwo(x, keptAt, kAt, uAt, aAt, bAt, keyDim, rows, state, at, valueDim, aTo, bTo);
    }
    return j;
  }

  private static void twoByTwo(
      float[] x,
      int keptAt,
      int kAt,
      int uAt,
      int aAt,
      int bAt,
      int keyDim,
      int rows,
      MemorySegment state,
      long at,
      int valueDim,
      int aOutAt,
      int bOutAt) {
    FloatVector u0 = FloatVector.fromArray(LANES, x, uAt);
    FloatVector v0 = FloatVector.fromArray(LANES, x, uAt + LENGTH);
    FloatVector u1 = FloatVector.fromArray(LANES, x, uAt + valueDim);
    FloatVector v1 = FloatVector.fromArray(LANES, x, uAt + valueDim + LENGTH);
    FloatVector u2 = FloatVector.fromArray(LANES, x, uAt + 2 * valueDim);
    FloatVector v2 = FloatVector.fromArray(LANES, x, uAt + 2 * valueDim + LENGTH);
    FloatVector u3 = FloatVector.fromArray(LANES, x, uAt + 3 * valueDim);
    FloatVector v3 = FloatVector.fromArray(LANES, x, uAt + 3 * valueDim + LENGTH);
    int k1At = kAt + keyDim;
    int k2At = k1At + keyDim;
    int k3At = k2At + keyDim;
    FloatVector a0 = FloatVector.fromArray(LANES, x, aOutAt);
    FloatVector b0 = FloatVector.fromArray(LANES, x, aOutAt + LENGTH);
    FloatVector a1 = FloatVector.fromArray(LANES, x, bOutAt);
    FloatVector b1 = FloatVector.fromArray(LANES, x, bOutAt + LENGTH);
    long rowBytes = valueDim * 4L;
    for (int i = 0; i < rows; i++, at += rowBytes) {
      FloatVector c = FloatVector.broadcast(LANES, x[keptAt + i]);
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER).mul(c);
      FloatVector b = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER).mul(c);
      c = FloatVector.broadcast(LANES, x[kAt + i]);
      a = u0.fma(c, a);
      b = v0.fma(c, b);
      c = FloatVector.broadcast(LANES, x[k1At + i]);
      a = u1.fma(c, a);
      b = v1.fma(c, b);
      c = FloatVector.broadcast(LANES, x[k2At + i]);
      a = u2.fma(c, a);
      b = v2.fma(c, b);
      c = FloatVector.broadcast(LANES, x[k3At + i]);
      a = u3.fma(c, a);
      b = v3.fma(c, b);
      a.intoMemorySegment(state, at, ORDER);
      b.intoMemorySegment(state, at + BYTES, ORDER);
      c = FloatVector.broadcast(LANES, x[aAt + i]);
      a0 = a.fma(c, a0);
      b0 = b.fma(c, b0);
      c = FloatVector.broadcast(LANES, x[bAt + i]);
      a1 = a.fma(c, a1);
      b1 = b.fma(c, b1);
    }
    a0.intoArray(x, aOutAt);
    b0.intoArray(x, aOutAt + LENGTH);
    a1.intoArray(x, bOutAt);
    b1.intoArray(x, bOutAt + LENGTH);
  }
}
