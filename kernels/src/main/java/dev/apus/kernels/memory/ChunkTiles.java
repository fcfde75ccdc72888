package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorSums;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops over a memory that the chunked form needs, for tiles of two vectors of columns: narrow
 * enough that a tile of the memory stays in L1 between them.
 */
final class ChunkTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Columns of a tile. */
  static final int WIDTH = 2 * LENGTH;

  private ChunkTiles() {}

  /** Fills in what the columns of a chunk share. */
  static void prepare(Shape shape, int from, Rows q, Rows k, Rows d, float[] scratch) {
    int keyDim = shape.keyDim();
    boolean perKey = shape.decay() == Decay.PER_KEY;
    for (int t = 0; t < Chunk.TOKENS; t++) {
      int dAt = d.start(from + t);
      int kAt = k.start(from + t);
      int qAt = q.start(from + t);
      if (t == 0) {
        fill(scratch, Chunk.keptAt(), keyDim);
      }
      decay(perKey, d.data(), dAt, scratch, Chunk.keptAt(), keyDim);
      for (int s = 0; s < t; s++) {
        decay(perKey, d.data(), dAt, scratch, Chunk.writeAt(shape, s), keyDim);
      }
      System.arraycopy(k.data(), kAt, scratch, Chunk.writeAt(shape, t), keyDim);
      multiply(q.data(), qAt, scratch, Chunk.keptAt(), Chunk.queryAt(shape, t), keyDim);
      for (int s = 0; s <= t; s++) {
        scratch[Chunk.queryPairAt(shape, t, s)] =
            VectorSums.dot(q.data(), qAt, scratch, Chunk.writeAt(shape, s), keyDim);
      }
      if (shape.write() == Write.DELTA) {
        multiply(k.data(), kAt, scratch, Chunk.keptAt(), Chunk.keyAt(shape, t), keyDim);
        for (int s = 0; s < t; s++) {
          scratch[Chunk.keyPairAt(shape, t, s)] =
              VectorSums.dot(k.data(), kAt, scratch, Chunk.writeAt(shape, s), keyDim);
        }
      }
    }
  }

  private static void fill(float[] x, int at, int count) {
    for (int i = at; i < at + count; i++) {
      x[i] = 1;
    }
  }

  /** {@code x ← d · x}, with one factor or one for each key. */
  private static void decay(boolean perKey, float[] d, int dAt, float[] x, int xAt, int count) {
    if (perKey) {
      multiply(d, dAt, x, xAt, xAt, count);
      return;
    }
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      FloatVector.fromArray(LANES, x, xAt + i).mul(d[dAt]).intoArray(x, xAt + i);
    }
    for (; i < count; i++) {
      x[xAt + i] *= d[dAt];
    }
  }

  /** {@code x[to …] ← a · x[xAt …]}. */
  private static void multiply(float[] a, int aAt, float[] x, int xAt, int to, int count) {
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      v.mul(FloatVector.fromArray(LANES, a, aAt + i)).intoArray(x, to + i);
    }
    for (; i < count; i++) {
      x[to + i] = x[xAt + i] * a[aAt + i];
    }
  }

  /**
   * Reads a tile with the keys of four tokens: {@code out[t] ← Sᵀ c[t]}.
   *
   * @param cAt where the four rows of keys begin, {@code keyDim} apart
   * @param outAt where the four rows of answers begin, {@code outStride} apart
   */
  static void read(
      Shape shape,
      float[] c,
      int cAt,
      MemorySegment state,
      long at,
      int width,
      float[] out,
      int outAt,
      int outStride) {
    int keyDim = shape.keyDim();
    long rowBytes = shape.valueDim() * 4L;
    if (width == WIDTH) {
      readTwo(c, cAt, keyDim, state, at, rowBytes, out, outAt, outStride);
      return;
    }
    for (int j = 0; j < width; j += LENGTH) {
      var mask = LANES.indexInRange(j, width);
      readOne(mask, c, cAt, keyDim, state, at + j * 4L, rowBytes, out, outAt + j, outStride);
    }
  }

  private static void readTwo(
      float[] c,
      int cAt,
      int keyDim,
      MemorySegment state,
      long at,
      long rowBytes,
      float[] out,
      int outAt,
      int outStride) {
    FloatVector a0 = FloatVector.zero(LANES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    for (int i = cAt; i < cAt + keyDim; i++, at += rowBytes) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER);
      FloatVector ci = FloatVector.broadcast(LANES, c[i]);
      a0 = a.fma(ci, a0);
      b0 = b.fma(ci, b0);
      ci = FloatVector.broadcast(LANES, c[i + keyDim]);
      a1 = a.fma(ci, a1);
      b1 = b.fma(ci, b1);
      ci = FloatVector.broadcast(LANES, c[i + 2 * keyDim]);
      a2 = a.fma(ci, a2);
      b2 = b.fma(ci, b2);
      ci = FloatVector.broadcast(LANES, c[i + 3 * keyDim]);
      a3 = a.fma(ci, a3);
      b3 = b.fma(ci, b3);
    }
    a0.intoArray(out, outAt);
    b0.intoArray(out, outAt + LENGTH);
    a1.intoArray(out, outAt + outStride);
    b1.intoArray(out, outAt + outStride + LENGTH);
    a2.intoArray(out, outAt + 2 * outStride);
    b2.intoArray(out, outAt + 2 * outStride + LENGTH);
    a3.intoArray(out, outAt + 3 * outStride);
    b3.intoArray(out, outAt + 3 * outStride + LENGTH);
  }

  private static void readOne(
      VectorMask<Float> mask,
      float[] c,
      int cAt,
      int keyDim,
      MemorySegment state,
      long at,
      long rowBytes,
      float[] out,
      int outAt,
      int outStride) {
    FloatVector a0 = FloatVector.zero(LANES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    for (int i = cAt; i < cAt + keyDim; i++, at += rowBytes) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      a0 = a.fma(FloatVector.broadcast(LANES, c[i]), a0);
      a1 = a.fma(FloatVector.broadcast(LANES, c[i + keyDim]), a1);
      a2 = a.fma(FloatVector.broadcast(LANES, c[i + 2 * keyDim]), a2);
      a3 = a.fma(FloatVector.broadcast(LANES, c[i + 3 * keyDim]), a3);
    }
    a0.intoArray(out, outAt, mask);
    a1.intoArray(out, outAt + outStride, mask);
    a2.intoArray(out, outAt + 2 * outStride, mask);
    a3.intoArray(out, outAt + 3 * outStride, mask);
  }

  /** {@link ScalarMatrixMemory#settle} of columns {@code [j, j + width)}. */
  static void settle(
      Shape shape, int from, int j, int width, Rows v, Rows beta, Rows o, float[] scratch) {
    boolean delta = shape.write() == Write.DELTA;
    int whole = j + LANES.loopBound(width);
    for (int t = 0; t < Chunk.TOKENS; t++) {
      float b = delta ? beta.value(from + t, 0) : 0;
      int uAt = Chunk.writtenAt(shape, t);
      int vAt = v.start(from + t);
      int oAt = o.start(from + t);
      for (int c = j; c < whole; c += LENGTH) {
        FloatVector u = FloatVector.fromArray(LANES, v.data(), vAt + c);
        if (delta) {
          FloatVector held = FloatVector.fromArray(LANES, scratch, uAt + c);
          for (int s = 0; s < t; s++) {
            FloatVector us = FloatVector.fromArray(LANES, scratch, Chunk.writtenAt(shape, s) + c);
            held =
                us.fma(FloatVector.broadcast(LANES, scratch[Chunk.keyPairAt(shape, t, s)]), held);
          }
          u = u.sub(held).mul(b);
        }
        u.intoArray(scratch, uAt + c);
        FloatVector sum = FloatVector.fromArray(LANES, o.data(), oAt + c);
        for (int s = 0; s <= t; s++) {
          FloatVector us = FloatVector.fromArray(LANES, scratch, Chunk.writtenAt(shape, s) + c);
          sum = us.fma(FloatVector.broadcast(LANES, scratch[Chunk.queryPairAt(shape, t, s)]), sum);
        }
        sum.intoArray(o.data(), oAt + c);
      }
    }
    for (int c = whole; c < j + width; c++) {
      ScalarMatrixMemory.settle(shape, from, c, v, beta, o, scratch);
    }
  }

  /** Decays a tile and adds what the four tokens write. */
  static void write(Shape shape, int j, int width, float[] scratch, MemorySegment state, long at) {
    int keyDim = shape.keyDim();
    int valueDim = shape.valueDim();
    int keptAt = Chunk.keptAt();
    int kAt = Chunk.writeAt(shape, 0);
    int uAt = Chunk.writtenAt(shape, 0) + j;
    if (width == WIDTH) {
      writeTwo(scratch, keptAt, kAt, keyDim, uAt, valueDim, state, at);
      return;
    }
    for (int c = 0; c < width; c += LENGTH) {
      var mask = LANES.indexInRange(c, width);
      writeOne(mask, scratch, keptAt, kAt, keyDim, uAt + c, valueDim, state, at + c * 4L);
    }
  }

  private static void writeTwo(
      float[] x,
      int keptAt,
      int kAt,
      int keyDim,
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
    long rowBytes = valueDim * 4L;
    for (int i = 0; i < keyDim; i++, at += rowBytes) {
      FloatVector kept = FloatVector.broadcast(LANES, x[keptAt + i]);
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER).mul(kept);
      FloatVector b = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER).mul(kept);
      FloatVector k = FloatVector.broadcast(LANES, x[kAt + i]);
      a = a0.fma(k, a);
      b = b0.fma(k, b);
      k = FloatVector.broadcast(LANES, x[kAt + i + keyDim]);
      a = a1.fma(k, a);
      b = b1.fma(k, b);
      k = FloatVector.broadcast(LANES, x[kAt + i + 2 * keyDim]);
      a = a2.fma(k, a);
      b = b2.fma(k, b);
      k = FloatVector.broadcast(LANES, x[kAt + i + 3 * keyDim]);
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
      int uAt,
      int valueDim,
      MemorySegment state,
      long at) {
    FloatVector a0 = FloatVector.fromArray(LANES, x, uAt, mask);
    FloatVector a1 = FloatVector.fromArray(LANES, x, uAt + valueDim, mask);
    FloatVector a2 = FloatVector.fromArray(LANES, x, uAt + 2 * valueDim, mask);
    FloatVector a3 = FloatVector.fromArray(LANES, x, uAt + 3 * valueDim, mask);
    long rowBytes = valueDim * 4L;
    for (int i = 0; i < keyDim; i++, at += rowBytes) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      a = a.mul(x[keptAt + i]);
      a = a0.fma(FloatVector.broadcast(LANES, x[kAt + i]), a);
      a = a1.fma(FloatVector.broadcast(LANES, x[kAt + i + keyDim]), a);
      a = a2.fma(FloatVector.broadcast(LANES, x[kAt + i + 2 * keyDim]), a);
      a = a3.fma(FloatVector.broadcast(LANES, x[kAt + i + 3 * keyDim]), a);
      a.intoMemorySegment(state, at, ORDER, mask);
    }
  }
}
