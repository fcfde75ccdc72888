package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.memory.MatrixMemory.Rows;
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

  /** Keys and queries that {@link #eight} reads with. */
  static final int ROWS = 8;

  private WriteReadTiles() {}

  /**
   * Writes and reads with four keys and four queries: {@code out[r] ← out[r] + Sᵀ c[r]}.
   *
   * @param i the number of the first of the matrix's rows
   * @param outAt where the first of eight rows of answers begins, {@code valueDim} apart
   * @return how many columns have been written and read
   */
  static int eight(
      Chunk done,
      int i,
      Rows keys,
      Rows queries,
      int rows,
      MemorySegment state,
      long at,
      float[] x,
      int outAt) {
    int keyDim = done.shape().keyDim();
    int valueDim = done.shape().valueDim();
    int keptAt = done.keptAt() + i;
    int kAt = done.writeAt(0) + i;
    int j = 0;
    for (; j + 2 * LENGTH <= valueDim; j += 2 * LENGTH, at += 2 * BYTES) {
      int uAt = done.writtenAt(0) + j;
      int to = outAt + j;
      eightByTwo(x, keptAt, kAt, uAt, keys, queries, i, keyDim, rows, state, at, valueDim, to);
    }
    return j;
  }

  private static void eightByTwo(
      float[] x,
      int keptAt,
      int kAt,
      int uAt,
      Rows keys,
      Rows queries,
      int first,
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
    float[] keyData = keys.data();
    int c0At = keys.start(0) + first;
    int c1At = keys.start(1) + first;
    int c2At = keys.start(2) + first;
    int c3At = keys.start(3) + first;
    float[] queryData = queries.data();
    int c4At = queries.start(0) + first;
    int c5At = queries.start(1) + first;
    int c6At = queries.start(2) + first;
    int c7At = queries.start(3) + first;
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
      c = FloatVector.broadcast(LANES, keyData[c0At + i]);
      a0 = a.fma(c, a0);
      b0 = b.fma(c, b0);
      c = FloatVector.broadcast(LANES, keyData[c1At + i]);
      a1 = a.fma(c, a1);
      b1 = b.fma(c, b1);
      c = FloatVector.broadcast(LANES, keyData[c2At + i]);
      a2 = a.fma(c, a2);
      b2 = b.fma(c, b2);
      c = FloatVector.broadcast(LANES, keyData[c3At + i]);
      a3 = a.fma(c, a3);
      b3 = b.fma(c, b3);
      c = FloatVector.broadcast(LANES, queryData[c4At + i]);
      a4 = a.fma(c, a4);
      b4 = b.fma(c, b4);
      c = FloatVector.broadcast(LANES, queryData[c5At + i]);
      a5 = a.fma(c, a5);
      b5 = b.fma(c, b5);
      c = FloatVector.broadcast(LANES, queryData[c6At + i]);
      a6 = a.fma(c, a6);
      b6 = b.fma(c, b6);
      c = FloatVector.broadcast(LANES, queryData[c7At + i]);
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
   * Writes and reads with two keys, which may be the same. Tiles are as wide as there are registers
   * for: the narrower, the more of the time goes into finding the values of seven keys.
   *
   * @return how many columns have been written and read
   */
  static int two(
      Chunk done,
      int i,
      float[] aData,
      int aAt,
      float[] bData,
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
    for (; j + 4 * LENGTH <= valueDim; j += 4 * LENGTH, at += 4 * BYTES) {
      int uAt = done.writtenAt(0) + j;
      int aTo = aOutAt + j;
      int bTo = bOutAt + j;
      twoByFour(
          x, keptAt, kAt, uAt, aData, aAt, bData, bAt, keyDim, rows, state, at, valueDim, aTo, bTo);
    }
    return j;
  }

  private static void twoByFour(
      float[] x,
      int keptAt,
      int kAt,
      int uAt,
      float[] aData,
      int aAt,
      float[] bData,
      int bAt,
      int keyDim,
      int rows,
      MemorySegment state,
      long at,
      int valueDim,
      int aOutAt,
      int bOutAt) {
    int u1At = uAt + valueDim;
    int u2At = u1At + valueDim;
    int u3At = u2At + valueDim;
    FloatVector t0 = FloatVector.fromArray(LANES, x, uAt);
    FloatVector u0 = FloatVector.fromArray(LANES, x, uAt + LENGTH);
    FloatVector v0 = FloatVector.fromArray(LANES, x, uAt + 2 * LENGTH);
    FloatVector w0 = FloatVector.fromArray(LANES, x, uAt + 3 * LENGTH);
    FloatVector t1 = FloatVector.fromArray(LANES, x, u1At);
    FloatVector u1 = FloatVector.fromArray(LANES, x, u1At + LENGTH);
    FloatVector v1 = FloatVector.fromArray(LANES, x, u1At + 2 * LENGTH);
    FloatVector w1 = FloatVector.fromArray(LANES, x, u1At + 3 * LENGTH);
    FloatVector t2 = FloatVector.fromArray(LANES, x, u2At);
    FloatVector u2 = FloatVector.fromArray(LANES, x, u2At + LENGTH);
    FloatVector v2 = FloatVector.fromArray(LANES, x, u2At + 2 * LENGTH);
    FloatVector w2 = FloatVector.fromArray(LANES, x, u2At + 3 * LENGTH);
    FloatVector t3 = FloatVector.fromArray(LANES, x, u3At);
    FloatVector u3 = FloatVector.fromArray(LANES, x, u3At + LENGTH);
    FloatVector v3 = FloatVector.fromArray(LANES, x, u3At + 2 * LENGTH);
    FloatVector w3 = FloatVector.fromArray(LANES, x, u3At + 3 * LENGTH);
    int k1At = kAt + keyDim;
    int k2At = k1At + keyDim;
    int k3At = k2At + keyDim;
    FloatVector a0 = FloatVector.fromArray(LANES, x, aOutAt);
    FloatVector a1 = FloatVector.fromArray(LANES, x, aOutAt + LENGTH);
    FloatVector a2 = FloatVector.fromArray(LANES, x, aOutAt + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(LANES, x, aOutAt + 3 * LENGTH);
    FloatVector b0 = FloatVector.fromArray(LANES, x, bOutAt);
    FloatVector b1 = FloatVector.fromArray(LANES, x, bOutAt + LENGTH);
    FloatVector b2 = FloatVector.fromArray(LANES, x, bOutAt + 2 * LENGTH);
    FloatVector b3 = FloatVector.fromArray(LANES, x, bOutAt + 3 * LENGTH);
    long rowBytes = valueDim * 4L;
    for (int i = 0; i < rows; i++, at += rowBytes) {
      FloatVector c = FloatVector.broadcast(LANES, x[keptAt + i]);
      FloatVector s0 = FloatVector.fromMemorySegment(LANES, state, at, ORDER).mul(c);
      FloatVector s1 = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER).mul(c);
      FloatVector s2 = FloatVector.fromMemorySegment(LANES, state, at + 2 * BYTES, ORDER).mul(c);
      FloatVector s3 = FloatVector.fromMemorySegment(LANES, state, at + 3 * BYTES, ORDER).mul(c);
      c = FloatVector.broadcast(LANES, x[kAt + i]);
      s0 = t0.fma(c, s0);
      s1 = u0.fma(c, s1);
      s2 = v0.fma(c, s2);
      s3 = w0.fma(c, s3);
      c = FloatVector.broadcast(LANES, x[k1At + i]);
      s0 = t1.fma(c, s0);
      s1 = u1.fma(c, s1);
      s2 = v1.fma(c, s2);
      s3 = w1.fma(c, s3);
      c = FloatVector.broadcast(LANES, x[k2At + i]);
      s0 = t2.fma(c, s0);
      s1 = u2.fma(c, s1);
      s2 = v2.fma(c, s2);
      s3 = w2.fma(c, s3);
      c = FloatVector.broadcast(LANES, x[k3At + i]);
      s0 = t3.fma(c, s0);
      s1 = u3.fma(c, s1);
      s2 = v3.fma(c, s2);
      s3 = w3.fma(c, s3);
      s0.intoMemorySegment(state, at, ORDER);
      s1.intoMemorySegment(state, at + BYTES, ORDER);
      s2.intoMemorySegment(state, at + 2 * BYTES, ORDER);
      s3.intoMemorySegment(state, at + 3 * BYTES, ORDER);
      c = FloatVector.broadcast(LANES, aData[aAt + i]);
      a0 = s0.fma(c, a0);
      a1 = s1.fma(c, a1);
      a2 = s2.fma(c, a2);
      a3 = s3.fma(c, a3);
      c = FloatVector.broadcast(LANES, bData[bAt + i]);
      b0 = s0.fma(c, b0);
      b1 = s1.fma(c, b1);
      b2 = s2.fma(c, b2);
      b3 = s3.fma(c, b3);
    }
    a0.intoArray(x, aOutAt);
    a1.intoArray(x, aOutAt + LENGTH);
    a2.intoArray(x, aOutAt + 2 * LENGTH);
    a3.intoArray(x, aOutAt + 3 * LENGTH);
    b0.intoArray(x, bOutAt);
    b1.intoArray(x, bOutAt + LENGTH);
    b2.intoArray(x, bOutAt + 2 * LENGTH);
    b3.intoArray(x, bOutAt + 3 * LENGTH);
  }
}
