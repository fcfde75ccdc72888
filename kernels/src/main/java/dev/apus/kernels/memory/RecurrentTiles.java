package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops over a memory that the recurrent form needs: four vectors of columns at a time, then
 * one, of which a part may be masked. The decay factor of key {@code i} is at {@code dAt + i ·
 * dStep}.
 */
final class RecurrentTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private RecurrentTiles() {}

  /** {@code h ← (D ⊙ S)ᵀ k}; S stays as it is. */
  static void hold(
      Shape shape,
      float[] d,
      int dAt,
      int dStep,
      float[] k,
      int kAt,
      MemorySegment state,
      long stateAt,
      float[] h,
      int hAt) {
    int keyDim = shape.keyDim();
    int valueDim = shape.valueDim();
    int j = 0;
    for (; j + 4 * LENGTH <= valueDim; j += 4 * LENGTH) {
      long at = stateAt + j * 4L;
      holdFour(d, dAt, dStep, k, kAt, keyDim, state, at, valueDim * 4L, h, hAt + j);
    }
    for (; j < valueDim; j += LENGTH) {
      long at = stateAt + j * 4L;
      var mask = LANES.indexInRange(j, valueDim);
      holdOne(mask, d, dAt, dStep, k, kAt, keyDim, state, at, valueDim * 4L, h, hAt + j);
    }
  }

  private static void holdFour(
      float[] d,
      int dAt,
      int dStep,
      float[] k,
      int kAt,
      int keyDim,
      MemorySegment state,
      long at,
      long rowBytes,
      float[] h,
      int hAt) {
    FloatVector h0 = FloatVector.zero(LANES);
    FloatVector h1 = h0;
    FloatVector h2 = h0;
    FloatVector h3 = h0;
    for (int i = 0; i < keyDim; i++, at += rowBytes) {
      FloatVector di = FloatVector.broadcast(LANES, d[dAt + i * dStep]);
      FloatVector ki = FloatVector.broadcast(LANES, k[kAt + i]);
      h0 = FloatVector.fromMemorySegment(LANES, state, at, ORDER).mul(di).fma(ki, h0);
      h1 = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER).mul(di).fma(ki, h1);
      h2 = FloatVector.fromMemorySegment(LANES, state, at + 2 * BYTES, ORDER).mul(di).fma(ki, h2);
      h3 = FloatVector.fromMemorySegment(LANES, state, at + 3 * BYTES, ORDER).mul(di).fma(ki, h3);
    }
    h0.intoArray(h, hAt);
    h1.intoArray(h, hAt + LENGTH);
    h2.intoArray(h, hAt + 2 * LENGTH);
    h3.intoArray(h, hAt + 3 * LENGTH);
  }

  private static void holdOne(
      VectorMask<Float> mask,
      float[] d,
      int dAt,
      int dStep,
      float[] k,
      int kAt,
      int keyDim,
      MemorySegment state,
      long at,
      long rowBytes,
      float[] h,
      int hAt) {
    FloatVector h0 = FloatVector.zero(LANES);
    for (int i = 0; i < keyDim; i++, at += rowBytes) {
      FloatVector s0 = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      h0 = s0.mul(d[dAt + i * dStep]).fma(FloatVector.broadcast(LANES, k[kAt + i]), h0);
    }
    h0.intoArray(h, hAt, mask);
  }

  /** {@code S ← S ⊙ d} in some columns, with a factor for each. */
  static void scale(
      float[] d, int dAt, int width, int keyDim, MemorySegment state, long at, long rowBytes) {
    int j = 0;
    for (; j + 2 * LENGTH <= width; j += 2 * LENGTH) {
      scaleTwo(d, dAt + j, keyDim, state, at + j * 4L, rowBytes);
    }
    for (; j < width; j += LENGTH) {
      var mask = LANES.indexInRange(j, width);
      scaleOne(mask, d, dAt + j, keyDim, state, at + j * 4L, rowBytes);
    }
  }

  private static void scaleTwo(
      float[] d, int dAt, int keyDim, MemorySegment state, long at, long rowBytes) {
    FloatVector d0 = FloatVector.fromArray(LANES, d, dAt);
    FloatVector d1 = FloatVector.fromArray(LANES, d, dAt + LENGTH);
    for (int i = 0; i < keyDim; i++, at += rowBytes) {
      FloatVector s0 = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      FloatVector s1 = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER);
      s0.mul(d0).intoMemorySegment(state, at, ORDER);
      s1.mul(d1).intoMemorySegment(state, at + BYTES, ORDER);
    }
  }

  private static void scaleOne(
      VectorMask<Float> mask,
      float[] d,
      int dAt,
      int keyDim,
      MemorySegment state,
      long at,
      long rowBytes) {
    FloatVector d0 = FloatVector.fromArray(LANES, d, dAt, mask);
    for (int i = 0; i < keyDim; i++, at += rowBytes) {
      FloatVector s0 = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      s0.mul(d0).intoMemorySegment(state, at, ORDER, mask);
    }
  }

  /** {@code u ← β · (v − h)}. */
  static void subtract(float[] v, int vAt, float[] x, int hAt, float beta, int uAt, int count) {
    int j = 0;
    for (; j < LANES.loopBound(count); j += LENGTH) {
      FloatVector held = FloatVector.fromArray(LANES, x, hAt + j);
      FloatVector.fromArray(LANES, v, vAt + j).sub(held).mul(beta).intoArray(x, uAt + j);
    }
    for (; j < count; j++) {
      x[uAt + j] = beta * (v[vAt + j] - x[hAt + j]);
    }
  }

  /** {@code y ← y + scale · x}. */
  static void addScaled(float scale, float[] x, int xAt, float[] y, int yAt, int count) {
    int j = 0;
    FloatVector factor = FloatVector.broadcast(LANES, scale);
    for (; j < LANES.loopBound(count); j += LENGTH) {
      FloatVector sum = FloatVector.fromArray(LANES, y, yAt + j);
      FloatVector.fromArray(LANES, x, xAt + j).fma(factor, sum).intoArray(y, yAt + j);
    }
    for (; j < count; j++) {
      y[yAt + j] = Math.fma(scale, x[xAt + j], y[yAt + j]);
    }
  }

  /** {@code u ← −h}. */
  static void negate(float[] x, int hAt, int uAt, int count) {
    for (int j = 0; j < count; j++) {
      x[uAt + j] = -x[hAt + j];
    }
  }

  /** {@code S ← D ⊙ S + k ⊗ u} and {@code o ← Sᵀ q}. */
  static void write(
      Shape shape,
      float[] d,
      int dAt,
      int dStep,
      float[] k,
      int kAt,
      float[] q,
      int qAt,
      float[] u,
      int uAt,
      MemorySegment state,
      long stateAt,
      float[] o,
      int oAt) {
    int valueDim = shape.valueDim();
    int keyDim = shape.keyDim();
    long rowBytes = valueDim * 4L;
    int j = 0;
    for (; j + 4 * LENGTH <= valueDim; j += 4 * LENGTH) {
      long at = stateAt + j * 4L;
      writeFour(d, dAt, dStep, k, kAt, q, qAt, keyDim, u, uAt + j, state, at, rowBytes, o, oAt + j);
    }
    for (; j < valueDim; j += LENGTH) {
      long at = stateAt + j * 4L;
      var mask = LANES.indexInRange(j, valueDim);
      writeOne(
          mask, d, dAt, dStep, k, kAt, q, qAt, keyDim, u, uAt + j, state, at, rowBytes, o, oAt + j);
    }
  }

  private static void writeFour(
      float[] d,
      int dAt,
      int dStep,
      float[] k,
      int kAt,
      float[] q,
      int qAt,
      int keyDim,
      float[] u,
      int uAt,
      MemorySegment state,
      long at,
      long rowBytes,
      float[] o,
      int oAt) {
    FloatVector u0 = FloatVector.fromArray(LANES, u, uAt);
    FloatVector u1 = FloatVector.fromArray(LANES, u, uAt + LENGTH);
    FloatVector u2 = FloatVector.fromArray(LANES, u, uAt + 2 * LENGTH);
    FloatVector u3 = FloatVector.fromArray(LANES, u, uAt + 3 * LENGTH);
    FloatVector o0 = FloatVector.zero(LANES);
    FloatVector o1 = o0;
    FloatVector o2 = o0;
    FloatVector o3 = o0;
    for (int i = 0; i < keyDim; i++, at += rowBytes) {
      FloatVector di = FloatVector.broadcast(LANES, d[dAt + i * dStep]);
      FloatVector ki = FloatVector.broadcast(LANES, k[kAt + i]);
      FloatVector qi = FloatVector.broadcast(LANES, q[qAt + i]);
      FloatVector s = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      s = ki.fma(u0, s.mul(di));
      s.intoMemorySegment(state, at, ORDER);
      o0 = s.fma(qi, o0);
      s = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER);
      s = ki.fma(u1, s.mul(di));
      s.intoMemorySegment(state, at + BYTES, ORDER);
      o1 = s.fma(qi, o1);
      s = FloatVector.fromMemorySegment(LANES, state, at + 2 * BYTES, ORDER);
      s = ki.fma(u2, s.mul(di));
      s.intoMemorySegment(state, at + 2 * BYTES, ORDER);
      o2 = s.fma(qi, o2);
      s = FloatVector.fromMemorySegment(LANES, state, at + 3 * BYTES, ORDER);
      s = ki.fma(u3, s.mul(di));
      s.intoMemorySegment(state, at + 3 * BYTES, ORDER);
      o3 = s.fma(qi, o3);
    }
    o0.intoArray(o, oAt);
    o1.intoArray(o, oAt + LENGTH);
    o2.intoArray(o, oAt + 2 * LENGTH);
    o3.intoArray(o, oAt + 3 * LENGTH);
  }

  private static void writeOne(
      VectorMask<Float> mask,
      float[] d,
      int dAt,
      int dStep,
      float[] k,
      int kAt,
      float[] q,
      int qAt,
      int keyDim,
      float[] u,
      int uAt,
      MemorySegment state,
      long at,
      long rowBytes,
      float[] o,
      int oAt) {
    FloatVector u0 = FloatVector.fromArray(LANES, u, uAt, mask);
    FloatVector o0 = FloatVector.zero(LANES);
    for (int i = 0; i < keyDim; i++, at += rowBytes) {
      FloatVector s = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      s = FloatVector.broadcast(LANES, k[kAt + i]).fma(u0, s.mul(d[dAt + i * dStep]));
      s.intoMemorySegment(state, at, ORDER, mask);
      o0 = s.fma(FloatVector.broadcast(LANES, q[qAt + i]), o0);
    }
    o0.intoArray(o, oAt, mask);
  }
}
