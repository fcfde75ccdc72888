package dev.apus.kernels.learning;

import dev.apus.kernels.learning.FastWeights.Shape;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops that change a matrix by what several tokens have learned: tiles of four rows by two
 * vectors, or of one row by one vector, of which a part may be masked.
 */
final class LearnTiles {

  /** What a bias is the weight of. */
  static final float[] ONE = {1};

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private LearnTiles() {}

  /** Changes rows {@code [row, row + 4)}, whose inputs of the first token begin at {@code xAt}. */
  static void four(
      Shape shape,
      int row,
      int tokens,
      float keep,
      float[] c,
      int cAt,
      float[] x,
      int xAt,
      int xStride,
      float[] g,
      int gAt,
      int gStride,
      MemorySegment memory,
      long memoryAt) {
    int outputs = shape.outputs();
    long rowBytes = 4L * outputs;
    long at = memoryAt + row * rowBytes;
    int j = 0;
    for (; j + 2 * LENGTH <= outputs; j += 2 * LENGTH) {
      fourByTwo(
          tokens,
          keep,
          c,
          cAt,
          x,
          xAt,
          xStride,
          g,
          gAt + j,
          gStride,
          memory,
          at + 4L * j,
          rowBytes);
    }
    for (; j < outputs; j += LENGTH) {
      var mask = LANES.indexInRange(j, outputs);
      for (int i = 0; i < 4; i++) {
        long tileAt = at + i * rowBytes + 4L * j;
        oneByOne(
            mask, tokens, keep, c, cAt, x, xAt + i, xStride, g, gAt + j, gStride, memory, tileAt);
      }
    }
  }

  private static void fourByTwo(
      int tokens,
      float keep,
      float[] c,
      int cAt,
      float[] x,
      int xAt,
      int xStride,
      float[] g,
      int gAt,
      int gStride,
      MemorySegment memory,
      long at0,
      long rowBytes) {
    long at1 = at0 + rowBytes;
    long at2 = at1 + rowBytes;
    long at3 = at2 + rowBytes;
    FloatVector k = FloatVector.broadcast(LANES, keep);
    FloatVector a0 = FloatVector.fromMemorySegment(LANES, memory, at0, ORDER).mul(k);
    FloatVector b0 = FloatVector.fromMemorySegment(LANES, memory, at0 + BYTES, ORDER).mul(k);
    FloatVector a1 = FloatVector.fromMemorySegment(LANES, memory, at1, ORDER).mul(k);
    FloatVector b1 = FloatVector.fromMemorySegment(LANES, memory, at1 + BYTES, ORDER).mul(k);
    FloatVector a2 = FloatVector.fromMemorySegment(LANES, memory, at2, ORDER).mul(k);
    FloatVector b2 = FloatVector.fromMemorySegment(LANES, memory, at2 + BYTES, ORDER).mul(k);
    FloatVector a3 = FloatVector.fromMemorySegment(LANES, memory, at3, ORDER).mul(k);
    FloatVector b3 = FloatVector.fromMemorySegment(LANES, memory, at3 + BYTES, ORDER).mul(k);
    for (int s = 0; s < tokens; s++, xAt += xStride, gAt += gStride) {
      float cs = c[cAt + s];
      FloatVector a = FloatVector.fromArray(LANES, g, gAt);
      FloatVector b = FloatVector.fromArray(LANES, g, gAt + LENGTH);
      FloatVector f = FloatVector.broadcast(LANES, cs * x[xAt]);
      a0 = a.fma(f, a0);
      b0 = b.fma(f, b0);
      f = FloatVector.broadcast(LANES, cs * x[xAt + 1]);
      a1 = a.fma(f, a1);
      b1 = b.fma(f, b1);
      f = FloatVector.broadcast(LANES, cs * x[xAt + 2]);
      a2 = a.fma(f, a2);
      b2 = b.fma(f, b2);
      f = FloatVector.broadcast(LANES, cs * x[xAt + 3]);
      a3 = a.fma(f, a3);
      b3 = b.fma(f, b3);
    }
    a0.intoMemorySegment(memory, at0, ORDER);
    b0.intoMemorySegment(memory, at0 + BYTES, ORDER);
    a1.intoMemorySegment(memory, at1, ORDER);
    b1.intoMemorySegment(memory, at1 + BYTES, ORDER);
    a2.intoMemorySegment(memory, at2, ORDER);
    b2.intoMemorySegment(memory, at2 + BYTES, ORDER);
    a3.intoMemorySegment(memory, at3, ORDER);
    b3.intoMemorySegment(memory, at3 + BYTES, ORDER);
  }

  /** Changes one row, whose input of the first token is at {@code xAt}. */
  static void one(
      Shape shape,
      int row,
      int tokens,
      float keep,
      float[] c,
      int cAt,
      float[] x,
      int xAt,
      int xStride,
      float[] g,
      int gAt,
      int gStride,
      MemorySegment memory,
      long memoryAt) {
    int outputs = shape.outputs();
    long at = memoryAt + 4L * row * outputs;
    for (int j = 0; j < outputs; j += LENGTH) {
      var mask = LANES.indexInRange(j, outputs);
      long tileAt = at + 4L * j;
      oneByOne(mask, tokens, keep, c, cAt, x, xAt, xStride, g, gAt + j, gStride, memory, tileAt);
    }
  }

  private static void oneByOne(
      VectorMask<Float> mask,
      int tokens,
      float keep,
      float[] c,
      int cAt,
      float[] x,
      int xAt,
      int xStride,
      float[] g,
      int gAt,
      int gStride,
      MemorySegment memory,
      long at) {
    FloatVector w = FloatVector.fromMemorySegment(LANES, memory, at, ORDER, mask).mul(keep);
    for (int s = 0; s < tokens; s++, xAt += xStride, gAt += gStride) {
      FloatVector f = FloatVector.broadcast(LANES, c[cAt + s] * x[xAt]);
      w = FloatVector.fromArray(LANES, g, gAt, mask).fma(f, w);
    }
    w.intoMemorySegment(memory, at, ORDER, mask);
  }
}
