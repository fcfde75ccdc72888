package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops over a memory that the recurrent form needs: tiles of two vectors of columns, then of
 * one, of which a part may be masked. A tile is read and then written before the next one is, so
 * that it is in L1 the second time.
 */
final class RecurrentTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private RecurrentTiles() {}

  /** Columns of the tile that begins at column {@code j}. */
  static int width(Shape shape, int j) {
    return j + 2 * LENGTH <= shape.valueDim() ? 2 * LENGTH : Math.min(LENGTH, shape.valueDim() - j);
  }

  /** {@code h ← Sᵀ k} of a tile. */
  static void hold(
      Shape shape,
      int j,
      int width,
      float[] k,
      int kAt,
      MemorySegment state,
      long at,
      float[] h,
      int hAt) {
    int keyDim = shape.keyDim();
    long rowBytes = Blocks.rowBytes(shape, j);
    long first = at + Blocks.at(shape, 0, j);
    if (width > LENGTH) {
      holdTwo(k, kAt, keyDim, state, first, rowBytes, h, hAt);
    } else {
      holdOne(LANES.indexInRange(0, width), k, kAt, keyDim, state, first, rowBytes, h, hAt);
    }
  }

  private static void holdTwo(
      float[] k,
      int kAt,
      int keyDim,
      MemorySegment state,
      long first,
      long rowBytes,
      float[] h,
      int hAt) {
    FloatVector h0 = FloatVector.zero(LANES);
    FloatVector h1 = h0;
    for (int i = kAt; i < kAt + keyDim; i++, first += rowBytes) {
      FloatVector ki = FloatVector.broadcast(LANES, k[i]);
      h0 = FloatVector.fromMemorySegment(LANES, state, first, ORDER).fma(ki, h0);
      h1 = FloatVector.fromMemorySegment(LANES, state, first + BYTES, ORDER).fma(ki, h1);
    }
    h0.intoArray(h, hAt);
    h1.intoArray(h, hAt + LENGTH);
  }

  private static void holdOne(
      VectorMask<Float> mask,
      float[] k,
      int kAt,
      int keyDim,
      MemorySegment state,
      long at,
      long rowBytes,
      float[] h,
      int hAt) {
    FloatVector h0 = FloatVector.zero(LANES);
    for (int i = kAt; i < kAt + keyDim; i++, at += rowBytes) {
      FloatVector s0 = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      h0 = s0.fma(FloatVector.broadcast(LANES, k[i]), h0);
    }
    h0.intoArray(h, hAt, mask);
  }

  /**
   * {@code S ← D ⊙ S + k ⊗ u} and {@code o ← Sᵀ q} of a tile. The decay factor of key {@code i} is
   * at {@code dAt + i · dStep}.
   */
  static void write(
      Shape shape,
      int j,
      int width,
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
      long at,
      float[] o,
      int oAt) {
    int keyDim = shape.keyDim();
    long row = Blocks.rowBytes(shape, j);
    long first = at + Blocks.at(shape, 0, j);
    if (width > LENGTH) {
      writeTwo(d, dAt, dStep, k, kAt, q, qAt, keyDim, u, uAt, state, first, row, o, oAt);
    } else {
      var mask = LANES.indexInRange(0, width);
      writeOne(mask, d, dAt, dStep, k, kAt, q, qAt, keyDim, u, uAt, state, first, row, o, oAt);
    }
  }

  private static void writeTwo(
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
      long first,
      long rowBytes,
      float[] o,
      int oAt) {
    FloatVector u0 = FloatVector.fromArray(LANES, u, uAt);
    FloatVector u1 = FloatVector.fromArray(LANES, u, uAt + LENGTH);
    FloatVector o0 = FloatVector.zero(LANES);
    FloatVector o1 = o0;
    for (int i = 0; i < keyDim; i++, first += rowBytes) {
      FloatVector di = FloatVector.broadcast(LANES, d[dAt + i * dStep]);
      FloatVector ki = FloatVector.broadcast(LANES, k[kAt + i]);
      FloatVector qi = FloatVector.broadcast(LANES, q[qAt + i]);
      FloatVector s = FloatVector.fromMemorySegment(LANES, state, first, ORDER);
      s = ki.fma(u0, s.mul(di));
      s.intoMemorySegment(state, first, ORDER);
      o0 = s.fma(qi, o0);
      s = FloatVector.fromMemorySegment(LANES, state, first + BYTES, ORDER);
      s = ki.fma(u1, s.mul(di));
      s.intoMemorySegment(state, first + BYTES, ORDER);
      o1 = s.fma(qi, o1);
    }
    o0.intoArray(o, oAt);
    o1.intoArray(o, oAt + LENGTH);
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
