package dev.apus.kernels.learning;

import dev.apus.kernels.learning.FastWeights.Shape;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops that map rows: tiles of two vectors of outputs by four tokens, or of four vectors by
 * one, whose sums stay in registers while the inputs pass by. What is left of the outputs is taken
 * one vector at a time, of which a part may be masked.
 */
final class ApplyTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private ApplyTiles() {}

  /** Maps four rows. */
  static void four(
      Shape shape,
      MemorySegment memory,
      long at,
      float[] x,
      int xAt,
      int xStride,
      float[] y,
      int yAt,
      int yStride) {
    int inputs = shape.inputs();
    int outputs = shape.outputs();
    long rowBytes = 4L * outputs;
    boolean biased = shape.biased();
    int j = 0;
    for (; j + 2 * LENGTH <= outputs; j += 2 * LENGTH) {
      fourByTwo(
          inputs, rowBytes, biased, memory, at + 4L * j, x, xAt, xStride, y, yAt + j, yStride);
    }
    for (; j < outputs; j += LENGTH) {
      var mask = LANES.indexInRange(j, outputs);
      fourByOne(
          mask,
          inputs,
          rowBytes,
          biased,
          memory,
          at + 4L * j,
          x,
          xAt,
          xStride,
          y,
          yAt + j,
          yStride);
    }
  }

  private static void fourByTwo(
      int inputs,
      long rowBytes,
      boolean biased,
      MemorySegment memory,
      long at,
      float[] x,
      int xAt,
      int xStride,
      float[] y,
      int yAt,
      int yStride) {
    FloatVector a0 = FloatVector.zero(LANES);
    FloatVector b0 = a0;
    if (biased) {
      long bias = at + inputs * rowBytes;
      a0 = FloatVector.fromMemorySegment(LANES, memory, bias, ORDER);
      b0 = FloatVector.fromMemorySegment(LANES, memory, bias + BYTES, ORDER);
    }
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b1 = b0;
    FloatVector b2 = b0;
    FloatVector b3 = b0;
    for (int i = xAt; i < xAt + inputs; i++, at += rowBytes) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, memory, at, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(LANES, memory, at + BYTES, ORDER);
      FloatVector xi = FloatVector.broadcast(LANES, x[i]);
      a0 = a.fma(xi, a0);
      b0 = b.fma(xi, b0);
      xi = FloatVector.broadcast(LANES, x[i + xStride]);
      a1 = a.fma(xi, a1);
      b1 = b.fma(xi, b1);
      xi = FloatVector.broadcast(LANES, x[i + 2 * xStride]);
      a2 = a.fma(xi, a2);
      b2 = b.fma(xi, b2);
      xi = FloatVector.broadcast(LANES, x[i + 3 * xStride]);
      a3 = a.fma(xi, a3);
      b3 = b.fma(xi, b3);
    }
    a0.intoArray(y, yAt);
    b0.intoArray(y, yAt + LENGTH);
    a1.intoArray(y, yAt + yStride);
    b1.intoArray(y, yAt + yStride + LENGTH);
    a2.intoArray(y, yAt + 2 * yStride);
    b2.intoArray(y, yAt + 2 * yStride + LENGTH);
    a3.intoArray(y, yAt + 3 * yStride);
    b3.intoArray(y, yAt + 3 * yStride + LENGTH);
  }

  private static void fourByOne(
      VectorMask<Float> mask,
      int inputs,
      long rowBytes,
      boolean biased,
      MemorySegment memory,
      long at,
      float[] x,
      int xAt,
      int xStride,
      float[] y,
      int yAt,
      int yStride) {
    FloatVector a0 = FloatVector.zero(LANES);
    if (biased) {
      a0 = FloatVector.fromMemorySegment(LANES, memory, at + inputs * rowBytes, ORDER, mask);
    }
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    for (int i = xAt; i < xAt + inputs; i++, at += rowBytes) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, memory, at, ORDER, mask);
      a0 = a.fma(FloatVector.broadcast(LANES, x[i]), a0);
      a1 = a.fma(FloatVector.broadcast(LANES, x[i + xStride]), a1);
      a2 = a.fma(FloatVector.broadcast(LANES, x[i + 2 * xStride]), a2);
      a3 = a.fma(FloatVector.broadcast(LANES, x[i + 3 * xStride]), a3);
    }
    a0.intoArray(y, yAt, mask);
    a1.intoArray(y, yAt + yStride, mask);
    a2.intoArray(y, yAt + 2 * yStride, mask);
    a3.intoArray(y, yAt + 3 * yStride, mask);
  }

  /** Maps one row. */
  static void one(
      Shape shape, MemorySegment memory, long at, float[] x, int xAt, float[] y, int yAt) {
    int inputs = shape.inputs();
    int outputs = shape.outputs();
    long rowBytes = 4L * outputs;
    boolean biased = shape.biased();
    int j = 0;
    for (; j + 4 * LENGTH <= outputs; j += 4 * LENGTH) {
      oneByFour(inputs, rowBytes, biased, memory, at + 4L * j, x, xAt, y, yAt + j);
    }
    for (; j < outputs; j += LENGTH) {
      var mask = LANES.indexInRange(j, outputs);
      oneByOne(mask, inputs, rowBytes, biased, memory, at + 4L * j, x, xAt, y, yAt + j);
    }
  }

  private static void oneByFour(
      int inputs,
      long rowBytes,
      boolean biased,
      MemorySegment memory,
      long at,
      float[] x,
      int xAt,
      float[] y,
      int yAt) {
    FloatVector a = FloatVector.zero(LANES);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    if (biased) {
      long bias = at + inputs * rowBytes;
      a = FloatVector.fromMemorySegment(LANES, memory, bias, ORDER);
      b = FloatVector.fromMemorySegment(LANES, memory, bias + BYTES, ORDER);
      c = FloatVector.fromMemorySegment(LANES, memory, bias + 2 * BYTES, ORDER);
      d = FloatVector.fromMemorySegment(LANES, memory, bias + 3 * BYTES, ORDER);
    }
    for (int i = xAt; i < xAt + inputs; i++, at += rowBytes) {
      FloatVector xi = FloatVector.broadcast(LANES, x[i]);
      a = FloatVector.fromMemorySegment(LANES, memory, at, ORDER).fma(xi, a);
      b = FloatVector.fromMemorySegment(LANES, memory, at + BYTES, ORDER).fma(xi, b);
      c = FloatVector.fromMemorySegment(LANES, memory, at + 2 * BYTES, ORDER).fma(xi, c);
      d = FloatVector.fromMemorySegment(LANES, memory, at + 3 * BYTES, ORDER).fma(xi, d);
    }
    a.intoArray(y, yAt);
    b.intoArray(y, yAt + LENGTH);
    c.intoArray(y, yAt + 2 * LENGTH);
    d.intoArray(y, yAt + 3 * LENGTH);
  }

  private static void oneByOne(
      VectorMask<Float> mask,
      int inputs,
      long rowBytes,
      boolean biased,
      MemorySegment memory,
      long at,
      float[] x,
      int xAt,
      float[] y,
      int yAt) {
    FloatVector a = FloatVector.zero(LANES);
    if (biased) {
      a = FloatVector.fromMemorySegment(LANES, memory, at + inputs * rowBytes, ORDER, mask);
    }
    for (int i = xAt; i < xAt + inputs; i++, at += rowBytes) {
      FloatVector w = FloatVector.fromMemorySegment(LANES, memory, at, ORDER, mask);
      a = w.fma(FloatVector.broadcast(LANES, x[i]), a);
    }
    a.intoArray(y, yAt, mask);
  }
}
