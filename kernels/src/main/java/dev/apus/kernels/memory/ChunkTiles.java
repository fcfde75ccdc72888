package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorSums;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** The loops over a block of columns that the chunked form needs, for tiles of two vectors. */
final class ChunkTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Columns of a tile. */
  private static final int WIDTH = 2 * LENGTH;

  private ChunkTiles() {}

  /** Fills in what the columns of a chunk share, whose keys are there, for one decay a token. */
  static void prepare(Shape shape, int from, Rows d, float[] scratch, int chunkAt) {
    boolean delta = shape.write() == Write.DELTA;
    for (int t = 0; t < Chunk.TOKENS; t++) {
      int kAt = Chunk.keyAt(shape, chunkAt, t);
      int qAt = Chunk.queryAt(shape, chunkAt, t);
      pairs(shape, delta, scratch, kAt, scratch, qAt, t, scratch, chunkAt);
    }
    Chunk.decay(shape, d, from, scratch, chunkAt);
  }

  /** Fills in what the columns of a chunk share, for a decay of each key. */
  static void prepareDecayed(
      Shape shape, int from, Rows q, Rows k, Rows d, float[] scratch, int chunkAt) {
    int keyDim = shape.keyDim();
    boolean delta = shape.write() == Write.DELTA;
    int keptAt = Chunk.keptAt(shape, chunkAt);
    Arrays.fill(scratch, keptAt, keptAt + keyDim, 1);
    for (int t = 0; t < Chunk.TOKENS; t++) {
      int dAt = d.start(from + t);
      int kAt = k.start(from + t);
      int qAt = q.start(from + t);
      multiply(d.data(), dAt, scratch, keptAt, keptAt, keyDim);
      for (int s = 0; s < t; s++) {
        int writeAt = Chunk.writeAt(shape, chunkAt, s);
        multiply(d.data(), dAt, scratch, writeAt, writeAt, keyDim);
      }
      System.arraycopy(k.data(), kAt, scratch, Chunk.writeAt(shape, chunkAt, t), keyDim);
      multiply(k.data(), kAt, scratch, keptAt, Chunk.keyAt(shape, chunkAt, t), keyDim);
      multiply(q.data(), qAt, scratch, keptAt, Chunk.queryAt(shape, chunkAt, t), keyDim);
      pairs(shape, delta, k.data(), kAt, q.data(), qAt, t, scratch, chunkAt);
    }
    Chunk.decayed(scratch, chunkAt);
  }

  /** The products of a token's key and query with what the tokens up to it write with. */
  private static void pairs(
      Shape shape,
      boolean keys,
      float[] k,
      int kAt,
      float[] q,
      int qAt,
      int t,
      float[] scratch,
      int chunkAt) {
    for (int s = 0; s <= t; s++) {
      int writeAt = Chunk.writeAt(shape, chunkAt, s);
      scratch[Chunk.queryPairAt(chunkAt, t, s)] =
          VectorSums.dot(q, qAt, scratch, writeAt, shape.keyDim());
      if (keys && s < t) {
        scratch[Chunk.keyPairAt(chunkAt, t, s)] =
            VectorSums.dot(k, kAt, scratch, writeAt, shape.keyDim());
      }
    }
  }

  /** {@code x[to …] ← a · x[xAt …]}. */
  static void multiply(float[] a, int aAt, float[] x, int xAt, int to, int count) {
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      v.mul(FloatVector.fromArray(LANES, a, aAt + i)).intoArray(x, to + i);
    }
    for (; i < count; i++) {
      x[to + i] = x[xAt + i] * a[aAt + i];
    }
  }

  /** Takes the block whose columns are {@code [j, j + width)} past the tokens of a chunk. */
  static void advance(
      Shape shape,
      int from,
      int j,
      int width,
      Rows beta,
      MemorySegment state,
      long at,
      float[] scratch,
      int chunkAt) {
    if (shape.write() == Write.DELTA) {
      int keyAt = Chunk.keyAt(shape, chunkAt, 0);
      read(shape, scratch, keyAt, state, at, width, Chunk.writtenAt(shape, 0), Blocks.COLUMNS);
    }
    int queryAt = Chunk.queryAt(shape, chunkAt, 0);
    int readAt = Chunk.readAt(shape, chunkAt, 0) + j;
    read(shape, scratch, queryAt, state, at, width, readAt, shape.valueDim());
    settle(shape, from, j, width, beta, scratch, chunkAt);
    write(shape, width, scratch, chunkAt, state, at);
  }

  /**
   * Reads a block with the keys or queries of a chunk: {@code x[outAt + outStride · t …] ← Sᵀ x[cAt
   * + keyDim · t …]} for each token t.
   */
  private static void read(
      Shape shape,
      float[] x,
      int cAt,
      MemorySegment state,
      long at,
      int width,
      int outAt,
      int outStride) {
    int keyDim = shape.keyDim();
    long rowBytes = width * 4L;
    int j = 0;
    for (; j + WIDTH <= width; j += WIDTH) {
      readTwo(x, cAt, keyDim, state, at + j * 4L, rowBytes, outAt + j, outStride);
    }
    for (; j < width; j += LENGTH) {
      var mask = LANES.indexInRange(j, width);
      readOne(mask, x, cAt, keyDim, state, at + j * 4L, rowBytes, outAt + j, outStride);
    }
  }

  private static void readTwo(
      float[] x,
      int cAt,
      int keyDim,
      MemorySegment state,
      long at,
      long rowBytes,
      int outAt,
      int outStride) {
    FloatVector a0 = FloatVector.zero(LANES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector a4 = a0;
    FloatVector a5 = a0;
    FloatVector a6 = a0;
    FloatVector a7 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    FloatVector b4 = a0;
    FloatVector b5 = a0;
    FloatVector b6 = a0;
    FloatVector b7 = a0;
    for (int i = cAt; i < cAt + keyDim; i++, at += rowBytes) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(LANES, state, at + BYTES, ORDER);
      FloatVector ci = FloatVector.broadcast(LANES, x[i]);
      a0 = a.fma(ci, a0);
      b0 = b.fma(ci, b0);
      ci = FloatVector.broadcast(LANES, x[i + keyDim]);
      a1 = a.fma(ci, a1);
      b1 = b.fma(ci, b1);
      ci = FloatVector.broadcast(LANES, x[i + 2 * keyDim]);
      a2 = a.fma(ci, a2);
      b2 = b.fma(ci, b2);
      ci = FloatVector.broadcast(LANES, x[i + 3 * keyDim]);
      a3 = a.fma(ci, a3);
      b3 = b.fma(ci, b3);
      ci = FloatVector.broadcast(LANES, x[i + 4 * keyDim]);
      a4 = a.fma(ci, a4);
      b4 = b.fma(ci, b4);
      ci = FloatVector.broadcast(LANES, x[i + 5 * keyDim]);
      a5 = a.fma(ci, a5);
      b5 = b.fma(ci, b5);
      ci = FloatVector.broadcast(LANES, x[i + 6 * keyDim]);
      a6 = a.fma(ci, a6);
      b6 = b.fma(ci, b6);
      ci = FloatVector.broadcast(LANES, x[i + 7 * keyDim]);
      a7 = a.fma(ci, a7);
      b7 = b.fma(ci, b7);
    }
    a0.intoArray(x, outAt);
    b0.intoArray(x, outAt + LENGTH);
    a1.intoArray(x, outAt + outStride);
    b1.intoArray(x, outAt + outStride + LENGTH);
    a2.intoArray(x, outAt + 2 * outStride);
    b2.intoArray(x, outAt + 2 * outStride + LENGTH);
    a3.intoArray(x, outAt + 3 * outStride);
    b3.intoArray(x, outAt + 3 * outStride + LENGTH);
    a4.intoArray(x, outAt + 4 * outStride);
    b4.intoArray(x, outAt + 4 * outStride + LENGTH);
    a5.intoArray(x, outAt + 5 * outStride);
    b5.intoArray(x, outAt + 5 * outStride + LENGTH);
    a6.intoArray(x, outAt + 6 * outStride);
    b6.intoArray(x, outAt + 6 * outStride + LENGTH);
    a7.intoArray(x, outAt + 7 * outStride);
    b7.intoArray(x, outAt + 7 * outStride + LENGTH);
  }

  private static void readOne(
      VectorMask<Float> mask,
      float[] x,
      int cAt,
      int keyDim,
      MemorySegment state,
      long at,
      long rowBytes,
      int outAt,
      int outStride) {
    FloatVector a0 = FloatVector.zero(LANES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector a4 = a0;
    FloatVector a5 = a0;
    FloatVector a6 = a0;
    FloatVector a7 = a0;
    for (int i = cAt; i < cAt + keyDim; i++, at += rowBytes) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      a0 = a.fma(FloatVector.broadcast(LANES, x[i]), a0);
      a1 = a.fma(FloatVector.broadcast(LANES, x[i + keyDim]), a1);
      a2 = a.fma(FloatVector.broadcast(LANES, x[i + 2 * keyDim]), a2);
      a3 = a.fma(FloatVector.broadcast(LANES, x[i + 3 * keyDim]), a3);
      a4 = a.fma(FloatVector.broadcast(LANES, x[i + 4 * keyDim]), a4);
      a5 = a.fma(FloatVector.broadcast(LANES, x[i + 5 * keyDim]), a5);
      a6 = a.fma(FloatVector.broadcast(LANES, x[i + 6 * keyDim]), a6);
      a7 = a.fma(FloatVector.broadcast(LANES, x[i + 7 * keyDim]), a7);
    }
    a0.intoArray(x, outAt, mask);
    a1.intoArray(x, outAt + outStride, mask);
    a2.intoArray(x, outAt + 2 * outStride, mask);
    a3.intoArray(x, outAt + 3 * outStride, mask);
    a4.intoArray(x, outAt + 4 * outStride, mask);
    a5.intoArray(x, outAt + 5 * outStride, mask);
    a6.intoArray(x, outAt + 6 * outStride, mask);
    a7.intoArray(x, outAt + 7 * outStride, mask);
  }

  /** {@link ScalarMatrixMemory#settle} of columns {@code [j, j + width)}. */
  private static void settle(
      Shape shape, int from, int j, int width, Rows beta, float[] scratch, int chunkAt) {
    boolean delta = shape.write() == Write.DELTA;
    int whole = LANES.loopBound(width);
    int written = Chunk.writtenAt(shape, 0);
    for (int t = 0; t < Chunk.TOKENS; t++) {
      float b = delta ? beta.value(from + t, 0) : 0;
      float factor = scratch[Chunk.factorAt(chunkAt, t)];
      int keyPairs = Chunk.keyPairAt(chunkAt, t, 0);
      int queryPairs = Chunk.queryPairAt(chunkAt, t, 0);
      int uAt = Chunk.writtenAt(shape, t);
      int vAt = Chunk.valueAt(shape, chunkAt, t) + j;
      int oAt = Chunk.readAt(shape, chunkAt, t) + j;
      for (int c = 0; c < whole; c += LENGTH) {
        FloatVector u = FloatVector.fromArray(LANES, scratch, vAt + c);
        FloatVector held = FloatVector.fromArray(LANES, scratch, uAt + c).mul(factor);
        FloatVector sum = FloatVector.fromArray(LANES, scratch, oAt + c).mul(factor);
        for (int s = 0; s < t; s++) {
          FloatVector us = FloatVector.fromArray(LANES, scratch, written + s * Blocks.COLUMNS + c);
          held = us.fma(FloatVector.broadcast(LANES, scratch[keyPairs + s]), held);
          sum = us.fma(FloatVector.broadcast(LANES, scratch[queryPairs + s]), sum);
        }
        if (delta) {
          u = u.sub(held).mul(b);
        }
        u.intoArray(scratch, uAt + c);
        FloatVector pair = FloatVector.broadcast(LANES, scratch[queryPairs + t]);
        u.fma(pair, sum).intoArray(scratch, oAt + c);
      }
    }
    for (int t = 0; t < Chunk.TOKENS; t++) {
      float left = scratch[Chunk.leftAt(chunkAt, t)];
      int uAt = Chunk.writtenAt(shape, t);
      for (int c = 0; c < whole; c += LENGTH) {
        FloatVector.fromArray(LANES, scratch, uAt + c).mul(left).intoArray(scratch, uAt + c);
      }
    }
    for (int c = whole; c < width; c++) {
      ScalarMatrixMemory.settle(shape, from, j + c, beta, scratch, chunkAt);
    }
  }

  /** Decays a block and adds what the tokens of a chunk write. */
  private static void write(
      Shape shape, int width, float[] scratch, int chunkAt, MemorySegment state, long at) {
    int keyDim = shape.keyDim();
    int keptAt = Chunk.keptAt(shape, chunkAt);
    int keptStep = shape.decay() == Decay.PER_KEY ? 1 : 0;
    int kAt = Chunk.writeAt(shape, chunkAt, 0);
    int uAt = Chunk.writtenAt(shape, 0);
    long rowBytes = width * 4L;
    int c = 0;
    for (; c + WIDTH <= width; c += WIDTH) {
      writeTwo(scratch, keptAt, keptStep, kAt, keyDim, uAt + c, state, at + c * 4L, rowBytes);
    }
    for (; c < width; c += LENGTH) {
      var mask = LANES.indexInRange(c, width);
      writeOne(mask, scratch, keptAt, keptStep, kAt, keyDim, uAt + c, state, at + c * 4L, rowBytes);
    }
  }

  private static void writeTwo(
      float[] x,
      int keptAt,
      int keptStep,
      int kAt,
      int keyDim,
      int uAt,
      MemorySegment state,
      long at,
      long rowBytes) {
    FloatVector a0 = FloatVector.fromArray(LANES, x, uAt);
    FloatVector b0 = FloatVector.fromArray(LANES, x, uAt + LENGTH);
    FloatVector a1 = FloatVector.fromArray(LANES, x, uAt + Blocks.COLUMNS);
    FloatVector b1 = FloatVector.fromArray(LANES, x, uAt + Blocks.COLUMNS + LENGTH);
    FloatVector a2 = FloatVector.fromArray(LANES, x, uAt + 2 * Blocks.COLUMNS);
    FloatVector b2 = FloatVector.fromArray(LANES, x, uAt + 2 * Blocks.COLUMNS + LENGTH);
    FloatVector a3 = FloatVector.fromArray(LANES, x, uAt + 3 * Blocks.COLUMNS);
    FloatVector b3 = FloatVector.fromArray(LANES, x, uAt + 3 * Blocks.COLUMNS + LENGTH);
    FloatVector a4 = FloatVector.fromArray(LANES, x, uAt + 4 * Blocks.COLUMNS);
    FloatVector b4 = FloatVector.fromArray(LANES, x, uAt + 4 * Blocks.COLUMNS + LENGTH);
    FloatVector a5 = FloatVector.fromArray(LANES, x, uAt + 5 * Blocks.COLUMNS);
    FloatVector b5 = FloatVector.fromArray(LANES, x, uAt + 5 * Blocks.COLUMNS + LENGTH);
    FloatVector a6 = FloatVector.fromArray(LANES, x, uAt + 6 * Blocks.COLUMNS);
    FloatVector b6 = FloatVector.fromArray(LANES, x, uAt + 6 * Blocks.COLUMNS + LENGTH);
    FloatVector a7 = FloatVector.fromArray(LANES, x, uAt + 7 * Blocks.COLUMNS);
    FloatVector b7 = FloatVector.fromArray(LANES, x, uAt + 7 * Blocks.COLUMNS + LENGTH);
    for (int i = 0; i < keyDim; i++, at += rowBytes) {
      FloatVector kept = FloatVector.broadcast(LANES, x[keptAt + i * keptStep]);
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
      k = FloatVector.broadcast(LANES, x[kAt + i + 4 * keyDim]);
      a = a4.fma(k, a);
      b = b4.fma(k, b);
      k = FloatVector.broadcast(LANES, x[kAt + i + 5 * keyDim]);
      a = a5.fma(k, a);
      b = b5.fma(k, b);
      k = FloatVector.broadcast(LANES, x[kAt + i + 6 * keyDim]);
      a = a6.fma(k, a);
      b = b6.fma(k, b);
      k = FloatVector.broadcast(LANES, x[kAt + i + 7 * keyDim]);
      a = a7.fma(k, a);
      b = b7.fma(k, b);
      a.intoMemorySegment(state, at, ORDER);
      b.intoMemorySegment(state, at + BYTES, ORDER);
    }
  }

  private static void writeOne(
      VectorMask<Float> mask,
      float[] x,
      int keptAt,
      int keptStep,
      int kAt,
      int keyDim,
      int uAt,
      MemorySegment state,
      long at,
      long rowBytes) {
    FloatVector a0 = FloatVector.fromArray(LANES, x, uAt, mask);
    FloatVector a1 = FloatVector.fromArray(LANES, x, uAt + Blocks.COLUMNS, mask);
    FloatVector a2 = FloatVector.fromArray(LANES, x, uAt + 2 * Blocks.COLUMNS, mask);
    FloatVector a3 = FloatVector.fromArray(LANES, x, uAt + 3 * Blocks.COLUMNS, mask);
    FloatVector a4 = FloatVector.fromArray(LANES, x, uAt + 4 * Blocks.COLUMNS, mask);
    FloatVector a5 = FloatVector.fromArray(LANES, x, uAt + 5 * Blocks.COLUMNS, mask);
    FloatVector a6 = FloatVector.fromArray(LANES, x, uAt + 6 * Blocks.COLUMNS, mask);
    FloatVector a7 = FloatVector.fromArray(LANES, x, uAt + 7 * Blocks.COLUMNS, mask);
    for (int i = 0; i < keyDim; i++, at += rowBytes) {
      FloatVector a = FloatVector.fromMemorySegment(LANES, state, at, ORDER, mask);
      a = a.mul(x[keptAt + i * keptStep]);
      a = a0.fma(FloatVector.broadcast(LANES, x[kAt + i]), a);
      a = a1.fma(FloatVector.broadcast(LANES, x[kAt + i + keyDim]), a);
      a = a2.fma(FloatVector.broadcast(LANES, x[kAt + i + 2 * keyDim]), a);
      a = a3.fma(FloatVector.broadcast(LANES, x[kAt + i + 3 * keyDim]), a);
      a = a4.fma(FloatVector.broadcast(LANES, x[kAt + i + 4 * keyDim]), a);
      a = a5.fma(FloatVector.broadcast(LANES, x[kAt + i + 5 * keyDim]), a);
      a = a6.fma(FloatVector.broadcast(LANES, x[kAt + i + 6 * keyDim]), a);
      a = a7.fma(FloatVector.broadcast(LANES, x[kAt + i + 7 * keyDim]), a);
      a.intoMemorySegment(state, at, ORDER, mask);
    }
  }
}
