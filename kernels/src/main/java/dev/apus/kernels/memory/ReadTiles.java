package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * Reads of some rows of a matrix: what was read of the rows before is in {@code x}, and goes on
 * from there.
 */
final class ReadTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Keys that {@link #four} reads with. */
  static final int ROWS = 4;

  /**
   * Whether there are registers for large tiles: with vectors of 512 bits there are 32, with others
   * perhaps 16.
   */
  static final boolean LARGE = LENGTH == 16;

  private ReadTiles() {}

  /**
   * Reads with two rows of keys and with two more: {@code out[r] ← out[r] + Sᵀ c[r]}.
   *
   * @param j the first column
   * @param a two keys, from the value for the first of the matrix's rows on; likewise {@code b}
   * @param outAt where the first of four rows of answers begins, {@code valueDim} apart
   */
  static void four(
      Shape shape,
      int j,
      Rows a,
      Rows b,
      int rows,
      MemorySegment state,
      long at,
      float[] x,
      int outAt) {
    int valueDim = shape.valueDim();
    for (; j + 2 * LENGTH <= valueDim; j += 2 * LENGTH) {
      fourByTwo(x, a, b, rows, state, at + j * 4L, valueDim, outAt + j);
    }
    for (; j < valueDim; j += LENGTH) {
      var mask = LANES.indexInRange(j, valueDim);
      fourByOne(mask, x, a, b, rows, state, at + j * 4L, valueDim, outAt + j);
    }
  }

  private static void fourByTwo(
      float[] x,
      Rows aRows,
      Rows bRows,
      int rows,
      MemorySegment state,
      long at,
      int valueDim,
      int outAt) {
    float[] aData = aRows.data();
    int c0At = aRows.start(0);
    int c1At = aRows.start(1);
    float[] bData = bRows.data();
    int c2At = bRows.start(0);
    int c3At = bRows.start(1);
    int out1At = outAt + valueDim;
    int out2At = out1At + valueDim;
    int out3At = out2At + valueDim;
    long rowBytes = valueDim * 4L;
    FloatVector a0 = FloatVector.fromArray(LANES, x, outAt);
    FloatVector b0 = FloatVector.fromArray(LANES, x, outAt + LENGTH);
    FloatVector a1 = FloatVector.fromArray(LANES, x, out1At);
    FloatVector b1 = FloatVector.fromArray(LANES, x, out1At + LENGTH);
    FloatVector a2 = FloatVector.fromArray(LANES, x, out2At);
    FloatVector b2 = FloatVector.fromArray(LANES, x, out2At + LENGTH);
    FloatVector a3 = FloatVector.fromArray(LANES, x, out3At);
    FloatVector b3 = FloatVector.fromArray(LANES, x, out3At + LENGTH);
    for (int i = 0; i < rows; i++, at += rowBytes) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER);
      FloatVector c = FloatVector.broadcast(LANES, aData[c0At + i]);
      a0 = a.fma(c, a0);
      b0 = b.fma(c, b0);
      c = FloatVector.broadcast(LANES, aData[c1At + i]);
      a1 = a.fma(c, a1);
      b1 = b.fma(c, b1);
      c = FloatVector.broadcast(LANES, bData[c2At + i]);
      a2 = a.fma(c, a2);
      b2 = b.fma(c, b2);
      c = FloatVector.broadcast(LANES, bData[c3At + i]);
      a3 = a.fma(c, a3);
      b3 = b.fma(c, b3);
    }
    a0.intoArray(x, outAt);
    b0.intoArray(x, outAt + LENGTH);
    a1.intoArray(x, out1At);
    b1.intoArray(x, out1At + LENGTH);
    a2.intoArray(x, out2At);
    b2.intoArray(x, out2At + LENGTH);
    a3.intoArray(x, out3At);
    b3.intoArray(x, out3At + LENGTH);
  }

  private static void fourByOne(
      VectorMask<Float> mask,
      float[] x,
      Rows aRows,
      Rows bRows,
      int rows,
      MemorySegment state,
      long at,
      int valueDim,
      int outAt) {
    float[] aData = aRows.data();
    int c0At = aRows.start(0);
    int c1At = aRows.start(1);
    float[] bData = bRows.data();
    int c2At = bRows.start(0);
    int c3At = bRows.start(1);
    FloatVector a0 = FloatVector.fromArray(LANES, x, outAt, mask);
    FloatVector a1 = FloatVector.fromArray(LANES, x, outAt + valueDim, mask);
    FloatVector a2 = FloatVector.fromArray(LANES, x, outAt + 2 * valueDim, mask);
    FloatVector a3 = FloatVector.fromArray(LANES, x, outAt + 3 * valueDim, mask);
    for (int i = 0; i < rows; i++, at += valueDim * 4L) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      a0 = a.fma(FloatVector.broadcast(LANES, aData[c0At + i]), a0);
      a1 = a.fma(FloatVector.broadcast(LANES, aData[c1At + i]), a1);
      a2 = a.fma(FloatVector.broadcast(LANES, bData[c2At + i]), a2);
      a3 = a.fma(FloatVector.broadcast(LANES, bData[c3At + i]), a3);
    }
    a0.intoArray(x, outAt, mask);
    a1.intoArray(x, outAt + valueDim, mask);
    a2.intoArray(x, outAt + 2 * valueDim, mask);
    a3.intoArray(x, outAt + 3 * valueDim, mask);
  }

  /**
   * Reads with two keys, which may be the same: {@code out ← out + Sᵀ c}. A single token does
   * little with what it reads, so tiles are wide, to read memory in the order in which it lies.
   *
   * @param j the first column
   */
  static void two(
      Shape shape,
      int j,
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
    int valueDim = shape.valueDim();
    for (; LARGE && j + 8 * LENGTH <= valueDim; j += 8 * LENGTH) {
      twoByEight(
          x,
          aData,
          aAt,
          bData,
          bAt,
          rows,
          state,
          at + j * 4L,
          valueDim * 4L,
          aOutAt + j,
          bOutAt + j);
    }
    for (; j + 4 * LENGTH <= valueDim; j += 4 * LENGTH) {
      twoByFour(
          x,
          aData,
          aAt,
          bData,
          bAt,
          rows,
          state,
          at + j * 4L,
          valueDim * 4L,
          aOutAt + j,
          bOutAt + j);
    }
    for (; j < valueDim; j += LENGTH) {
      var mask = LANES.indexInRange(j, valueDim);
      twoByOne(
          mask,
          x,
          aData,
          aAt,
          bData,
          bAt,
          rows,
          state,
          at + j * 4L,
          valueDim * 4L,
          aOutAt + j,
          bOutAt + j);
    }
  }

  private static void twoByEight(
      float[] x,
      float[] aData,
      int aAt,
      float[] bData,
      int bAt,
      int rows,
      MemorySegment state,
      long at,
      long rowBytes,
      int aOutAt,
      int bOutAt) {
    FloatVector a0 = FloatVector.fromArray(LANES, x, aOutAt);
    FloatVector b0 = FloatVector.fromArray(LANES, x, bOutAt);
    FloatVector a1 = FloatVector.fromArray(LANES, x, aOutAt + LENGTH);
    FloatVector b1 = FloatVector.fromArray(LANES, x, bOutAt + LENGTH);
    FloatVector a2 = FloatVector.fromArray(LANES, x, aOutAt + 2 * LENGTH);
    FloatVector b2 = FloatVector.fromArray(LANES, x, bOutAt + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(LANES, x, aOutAt + 3 * LENGTH);
    FloatVector b3 = FloatVector.fromArray(LANES, x, bOutAt + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(LANES, x, aOutAt + 4 * LENGTH);
    FloatVector b4 = FloatVector.fromArray(LANES, x, bOutAt + 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(LANES, x, aOutAt + 5 * LENGTH);
    FloatVector b5 = FloatVector.fromArray(LANES, x, bOutAt + 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(LANES, x, aOutAt + 6 * LENGTH);
    FloatVector b6 = FloatVector.fromArray(LANES, x, bOutAt + 6 * LENGTH);
    FloatVector a7 = FloatVector.fromArray(LANES, x, aOutAt + 7 * LENGTH);
    FloatVector b7 = FloatVector.fromArray(LANES, x, bOutAt + 7 * LENGTH);
    for (int i = 0; i < rows; i++, at += rowBytes) {
      FloatVector a = FloatVector.broadcast(LANES, aData[aAt + i]);
      FloatVector b = FloatVector.broadcast(LANES, bData[bAt + i]);
      FloatVector s = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      a0 = s.fma(a, a0);
      b0 = s.fma(b, b0);
      s = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER);
      a1 = s.fma(a, a1);
      b1 = s.fma(b, b1);
      s = FloatVector.fromMemorySegment(LANES, state, at + 2 * BYTES, ORDER);
      a2 = s.fma(a, a2);
      b2 = s.fma(b, b2);
      s = FloatVector.fromMemorySegment(LANES, state, at + 3 * BYTES, ORDER);
      a3 = s.fma(a, a3);
      b3 = s.fma(b, b3);
      s = FloatVector.fromMemorySegment(LANES, state, at + 4 * BYTES, ORDER);
      a4 = s.fma(a, a4);
      b4 = s.fma(b, b4);
      s = FloatVector.fromMemorySegment(LANES, state, at + 5 * BYTES, ORDER);
      a5 = s.fma(a, a5);
      b5 = s.fma(b, b5);
      s = FloatVector.fromMemorySegment(LANES, state, at + 6 * BYTES, ORDER);
      a6 = s.fma(a, a6);
      b6 = s.fma(b, b6);
      s = FloatVector.fromMemorySegment(LANES, state, at + 7 * BYTES, ORDER);
      a7 = s.fma(a, a7);
      b7 = s.fma(b, b7);
    }
    a0.intoArray(x, aOutAt);
    b0.intoArray(x, bOutAt);
    a1.intoArray(x, aOutAt + LENGTH);
    b1.intoArray(x, bOutAt + LENGTH);
    a2.intoArray(x, aOutAt + 2 * LENGTH);
    b2.intoArray(x, bOutAt + 2 * LENGTH);
    a3.intoArray(x, aOutAt + 3 * LENGTH);
    b3.intoArray(x, bOutAt + 3 * LENGTH);
    a4.intoArray(x, aOutAt + 4 * LENGTH);
    b4.intoArray(x, bOutAt + 4 * LENGTH);
    a5.intoArray(x, aOutAt + 5 * LENGTH);
    b5.intoArray(x, bOutAt + 5 * LENGTH);
    a6.intoArray(x, aOutAt + 6 * LENGTH);
    b6.intoArray(x, bOutAt + 6 * LENGTH);
    a7.intoArray(x, aOutAt + 7 * LENGTH);
    b7.intoArray(x, bOutAt + 7 * LENGTH);
  }

  private static void twoByFour(
      float[] x,
      float[] aData,
      int aAt,
      float[] bData,
      int bAt,
      int rows,
      MemorySegment state,
      long at,
      long rowBytes,
      int aOutAt,
      int bOutAt) {
    FloatVector a0 = FloatVector.fromArray(LANES, x, aOutAt);
    FloatVector b0 = FloatVector.fromArray(LANES, x, bOutAt);
    FloatVector a1 = FloatVector.fromArray(LANES, x, aOutAt + LENGTH);
    FloatVector b1 = FloatVector.fromArray(LANES, x, bOutAt + LENGTH);
    FloatVector a2 = FloatVector.fromArray(LANES, x, aOutAt + 2 * LENGTH);
    FloatVector b2 = FloatVector.fromArray(LANES, x, bOutAt + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(LANES, x, aOutAt + 3 * LENGTH);
    FloatVector b3 = FloatVector.fromArray(LANES, x, bOutAt + 3 * LENGTH);
    for (int i = 0; i < rows; i++, at += rowBytes) {
      FloatVector a = FloatVector.broadcast(LANES, aData[aAt + i]);
      FloatVector b = FloatVector.broadcast(LANES, bData[bAt + i]);
      FloatVector s = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      a0 = s.fma(a, a0);
      b0 = s.fma(b, b0);
      s = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER);
      a1 = s.fma(a, a1);
      b1 = s.fma(b, b1);
      s = FloatVector.fromMemorySegment(LANES, state, at + 2 * BYTES, ORDER);
      a2 = s.fma(a, a2);
      b2 = s.fma(b, b2);
      s = FloatVector.fromMemorySegment(LANES, state, at + 3 * BYTES, ORDER);
      a3 = s.fma(a, a3);
      b3 = s.fma(b, b3);
    }
    a0.intoArray(x, aOutAt);
    b0.intoArray(x, bOutAt);
    a1.intoArray(x, aOutAt + LENGTH);
    b1.intoArray(x, bOutAt + LENGTH);
    a2.intoArray(x, aOutAt + 2 * LENGTH);
    b2.intoArray(x, bOutAt + 2 * LENGTH);
    a3.intoArray(x, aOutAt + 3 * LENGTH);
    b3.intoArray(x, bOutAt + 3 * LENGTH);
  }

  private static void twoByOne(
      VectorMask<Float> mask,
      float[] x,
      float[] aData,
      int aAt,
      float[] bData,
      int bAt,
      int rows,
      MemorySegment state,
      long at,
      long rowBytes,
      int aOutAt,
      int bOutAt) {
    FloatVector a0 = FloatVector.fromArray(LANES, x, aOutAt, mask);
    FloatVector b0 = FloatVector.fromArray(LANES, x, bOutAt, mask);
    for (int i = 0; i < rows; i++, at += rowBytes) {
      FloatVector s = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      a0 = s.fma(FloatVector.broadcast(LANES, aData[aAt + i]), a0);
      b0 = s.fma(FloatVector.broadcast(LANES, bData[bAt + i]), b0);
    }
    a0.intoArray(x, aOutAt, mask);
    b0.intoArray(x, bOutAt, mask);
  }
}
