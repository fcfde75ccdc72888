package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** Writes to some rows of a matrix. */
final class WriteTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private WriteTiles() {}

  /** Decays the rows from key {@code i} and adds what a chunk writes, from column {@code j} on. */
  static void write(Chunk chunk, int j, int i, int rows, MemorySegment state, long at, float[] x) {
    int keyDim = chunk.shape().keyDim();
    int valueDim = chunk.shape().valueDim();
    int keptAt = chunk.keptAt() + i;
    int kAt = chunk.writeAt(0) + i;
    int uAt = chunk.writtenAt(0);
    for (; ReadTiles.LARGE && j + 4 * LENGTH <= valueDim; j += 4 * LENGTH) {
      writeFour(x, keptAt, kAt, keyDim, rows, uAt + j, valueDim, state, at + j * 4L);
    }
    for (; j + 2 * LENGTH <= valueDim; j += 2 * LENGTH) {
      writeTwo(x, keptAt, kAt, keyDim, rows, uAt + j, valueDim, state, at + j * 4L);
    }
    for (; j < valueDim; j += LENGTH) {
      var mask = LANES.indexInRange(j, valueDim);
      writeOne(mask, x, keptAt, kAt, keyDim, rows, uAt + j, valueDim, state, at + j * 4L);
    }
  }

  private static void writeFour(
      float[] x,
      int keptAt,
      int kAt,
      int keyDim,
      int rows,
      int uAt,
      int valueDim,
      MemorySegment state,
      long at) {
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
    }
  }

  private static void writeTwo(
      float[] x,
      int keptAt,
      int kAt,
      int keyDim,
      int rows,
      int uAt,
      int valueDim,
      MemorySegment state,
      long at) {
    FloatVector a0 = FloatVector.fromArray(LANES, x, uAt);
    FloatVector b0 = FloatVector.fromArray(LANES, x, uAt + LENGTH);
    FloatVector a1 = FloatVector.fromArray(LANES, x, uAt + valueDim);
    FloatVector b1 = FloatVector.fromArray(LANES, x, uAt + valueDim + LENGTH);
    FloatVector a2 = FloatVector.fromArray(LANES, x, uAt + 2 * valueDim);
    FloatVector b2 = FloatVector.fromArray(LANES, x, uAt + 2 * valueDim + LENGTH);
    FloatVector a3 = FloatVector.fromArray(LANES, x, uAt + 3 * valueDim);
    FloatVector b3 = FloatVector.fromArray(LANES, x, uAt + 3 * valueDim + LENGTH);
    int k1At = kAt + keyDim;
    int k2At = k1At + keyDim;
    int k3At = k2At + keyDim;
    long rowBytes = valueDim * 4L;
    for (int i = 0; i < rows; i++, at += rowBytes) {
      FloatVector kept = FloatVector.broadcast(LANES, x[keptAt + i]);
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER).mul(kept);
      FloatVector b = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER).mul(kept);
      FloatVector k = FloatVector.broadcast(LANES, x[kAt + i]);
      a = a0.fma(k, a);
      b = b0.fma(k, b);
      k = FloatVector.broadcast(LANES, x[k1At + i]);
      a = a1.fma(k, a);
      b = b1.fma(k, b);
      k = FloatVector.broadcast(LANES, x[k2At + i]);
      a = a2.fma(k, a);
      b = b2.fma(k, b);
      k = FloatVector.broadcast(LANES, x[k3At + i]);
      a = a3.fma(k, a);
      b = b3.fma(k, b);
      a.intoMemorySegment(state, at, ORDER);
      b.intoMemorySegment(state, at + BYTES, ORDER);
    }
  }

  private static void writeOne(
      VectorMask<Float> mask,
      float[] x,
      int keptAt,
      int kAt,
      int keyDim,
      int rows,
      int uAt,
      int valueDim,
      MemorySegment state,
      long at) {
    FloatVector a0 = FloatVector.fromArray(LANES, x, uAt, mask);
    FloatVector a1 = FloatVector.fromArray(LANES, x, uAt + valueDim, mask);
    FloatVector a2 = FloatVector.fromArray(LANES, x, uAt + 2 * valueDim, mask);
    FloatVector a3 = FloatVector.fromArray(LANES, x, uAt + 3 * valueDim, mask);
    for (int i = 0; i < rows; i++, at += valueDim * 4L) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      a = a.mul(x[keptAt + i]);
      a = a0.fma(FloatVector.broadcast(LANES, x[kAt + i]), a);
      a = a1.fma(FloatVector.broadcast(LANES, x[kAt + i + keyDim]), a);
      a = a2.fma(FloatVector.broadcast(LANES, x[kAt + i + 2 * keyDim]), a);
      a = a3.fma(FloatVector.broadcast(LANES, x[kAt + i + 3 * keyDim]), a);
      a.intoMemorySegment(state, at, ORDER, mask);
    }
  }

  /** {@code S ← S ⊙ d}: decays the columns of some rows as a chunk's values say. */
  static void scale(Chunk chunk, int rows, MemorySegment state, long at, float[] x) {
    int dAt = chunk.keptValueAt();
    int valueDim = chunk.shape().valueDim();
    for (int i = 0; i < rows; i++, at += valueDim * 4L) {
      int j = 0;
      for (; j < LANES.loopBound(valueDim); j += LENGTH) {
        FloatVector s = FloatVector.fromMemorySegment(LANES, state, at + j * 4L, ORDER);
        FloatVector d = FloatVector.fromArray(LANES, x, dAt + j);
        s.mul(d).intoMemorySegment(state, at + j * 4L, ORDER);
      }
      if (j < valueDim) {
        var mask = LANES.indexInRange(j, valueDim);
        FloatVector s = FloatVector.fromMemorySegment(LANES, state, at + j * 4L, ORDER, mask);
        FloatVector d = FloatVector.fromArray(LANES, x, dAt + j, mask);
        s.mul(d).intoMemorySegment(state, at + j * 4L, ORDER, mask);
      }
    }
  }

  /** {@code S ← decay · S + k ⊗ v}. */
  static void write(
      Shape shape,
      float decay,
      float[] k,
      int kAt,
      float[] v,
      int vAt,
      MemorySegment state,
      long at) {
    int valueDim = shape.valueDim();
    for (int i = 0; i < shape.keyDim(); i++, at += valueDim * 4L) {
      FloatVector ki = FloatVector.broadcast(LANES, k[kAt + i]);
      int j = 0;
      for (; j < LANES.loopBound(valueDim); j += LENGTH) {
        FloatVector s = FloatVector.fromMemorySegment(LANES, state, at + j * 4L, ORDER).mul(decay);
        ki.fma(FloatVector.fromArray(LANES, v, vAt + j), s)
            .intoMemorySegment(state, at + j * 4L, ORDER);
      }
      if (j < valueDim) {
        var mask = LANES.indexInRange(j, valueDim);
        FloatVector s =
            FloatVector.fromMemorySegment(LANES, state, at + j * 4L, ORDER, mask).mul(decay);
        ki.fma(FloatVector.fromArray(LANES, v, vAt + j, mask), s)
            .intoMemorySegment(state, at + j * 4L, ORDER, mask);
      }
    }
  }
}
