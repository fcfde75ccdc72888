package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Read;
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

  /** Keys that a tile is read with at a time. */
  static final int READS = 4;

  private ChunkTiles() {}

  /**
   * Reads a tile with four keys: {@code out[r] ← Sᵀ c[r]}.
   *
   * @param cAt where the four rows of keys begin, {@code keyDim} apart
   * @param outAt where the four rows of answers begin, {@code valueDim} apart
   */
  static void read(
      Shape shape,
      float[] c,
      int cAt,
      MemorySegment state,
      long at,
      int width,
      float[] out,
      int outAt) {
    int keyDim = shape.keyDim();
    int outStride = shape.valueDim();
    long rowBytes = outStride * 4L;
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

  /**
   * Turns what the tokens have read of columns {@code [j, j + width)} as they were before the chunk
   * into what they write there, and into their outputs.
   */
  static void settle(Shape shape, int from, int j, int width, Inputs in, Rows o, float[] scratch) {
    boolean perValue = shape.decay() == Decay.PER_VALUE;
    boolean seeks = shape.write().seeks();
    boolean delta = shape.write() == Write.DELTA;
    boolean early = shape.read() == Read.BEFORE;
    int writes = Chunk.writes(shape);
    int tokens = Chunk.tokens(shape);
    int valueDim = shape.valueDim();
    int keptAt = Chunk.keptValueAt(shape) + j;
    int heldAt = Chunk.heldAt(shape, 0) + j;
    int readAt = Chunk.readAt(shape, 0) + j;
    int uAt = Chunk.writtenAt(shape, 0) + j;
    int keyPairAt = Chunk.keyPairAt(shape, 0, 0);
    int queryPairAt = Chunk.queryPairAt(shape, 0, 0);
    if (perValue) {
      ChunkKeys.fill(scratch, keptAt, width);
    }
    int before = 0;
    for (int t = 0; t < tokens; t++) {
      int after = before + writes;
      if (seeks) {
        scale(perValue, keptAt, scratch, heldAt, width);
        add(scratch, uAt, valueDim, keyPairAt, before, heldAt, scratch, heldAt, width);
      }
      if (early) {
        scale(perValue, keptAt, scratch, readAt, width);
        add(scratch, uAt, valueDim, queryPairAt, before, readAt, scratch, readAt, width);
      }
      if (perValue) {
        decayValues(in.decay(), from + t, j, scratch, keptAt, uAt, before, valueDim, width);
      }
      if (delta) {
        scale(perValue, keptAt, scratch, heldAt, width);
        add(scratch, uAt, valueDim, keyPairAt, before, heldAt, scratch, heldAt, width);
      }
      int ownAt = uAt + (after - 1) * valueDim;
      write(shape, from + t, j, in, scratch, heldAt, uAt + before * valueDim, ownAt, width);
      int oAt = o.start(from + t) + j;
      if (early) {
        int pairAt = queryPairAt + after - 1;
        add(scratch, ownAt, valueDim, pairAt, 1, readAt, o.data(), oAt, width);
      } else {
        scale(perValue, keptAt, scratch, readAt, width);
        add(scratch, uAt, valueDim, queryPairAt, after, readAt, o.data(), oAt, width);
      }
      before = after;
      heldAt += valueDim;
      readAt += valueDim;
      keyPairAt += Chunk.WRITES;
      queryPairAt += Chunk.WRITES;
    }
  }

  private static void scale(boolean perValue, int keptAt, float[] x, int at, int width) {
    if (perValue) {
      ChunkKeys.multiply(x, keptAt, x, at, at, width);
    }
  }

  /** Decays the columns that are left of the memory, and of what has been written to it. */
  private static void decayValues(
      Rows decay,
      int token,
      int j,
      float[] x,
      int keptAt,
      int uAt,
      int writes,
      int valueDim,
      int width) {
    int dAt = decay.start(token) + j;
    ChunkKeys.multiply(decay.data(), dAt, x, keptAt, keptAt, width);
    for (int s = 0; s < writes; s++, uAt += valueDim) {
      ChunkKeys.multiply(decay.data(), dAt, x, uAt, uAt, width);
    }
  }

  /** {@code y ← x[sumAt …] + Σ_s x[pairAt + s] · x[uAt + s · stride …]}. */
  private static void add(
      float[] x,
      int uAt,
      int stride,
      int pairAt,
      int writes,
      int sumAt,
      float[] y,
      int yAt,
      int width) {
    int c = 0;
    for (; c < LANES.loopBound(width); c += LENGTH) {
      FloatVector sum = FloatVector.fromArray(LANES, x, sumAt + c);
      for (int s = 0; s < writes; s++) {
        FloatVector u = FloatVector.fromArray(LANES, x, uAt + s * stride + c);
        sum = u.fma(FloatVector.broadcast(LANES, x[pairAt + s]), sum);
      }
      sum.intoArray(y, yAt + c);
    }
    for (; c < width; c++) {
      float sum = x[sumAt + c];
      for (int s = 0; s < writes; s++) {
        sum = Math.fma(x[pairAt + s], x[uAt + s * stride + c], sum);
      }
      y[yAt + c] = sum;
    }
  }

  /** What a token of a chunk writes: at {@code uAt} what it takes away, if anything. */
  private static void write(
      Shape shape,
      int token,
      int j,
      Inputs in,
      float[] scratch,
      int heldAt,
      int uAt,
      int ownAt,
      int width) {
    int vAt = in.v().start(token) + j;
    if (shape.write().scaled()) {
      float beta = in.beta().value(token, 0);
      RecurrentTiles.subtract(in.v().data(), vAt, scratch, heldAt, beta, ownAt, width);
      return;
    }
    if (shape.write() == Write.ERASE) {
      RecurrentTiles.negate(scratch, heldAt, uAt, width);
    }
    System.arraycopy(in.v().data(), vAt, scratch, ownAt, width);
  }

  /** Decays a tile and adds what the chunk writes. */
  static void write(Shape shape, int j, int width, float[] scratch, MemorySegment state, long at) {
    int keyDim = shape.keyDim();
    int valueDim = shape.valueDim();
    int keptAt = Chunk.keptAt();
    int kAt = Chunk.writeAt(shape, 0);
    int uAt = Chunk.writtenAt(shape, 0) + j;
    if (shape.decay() == Decay.PER_VALUE) {
      int dAt = Chunk.keptValueAt(shape) + j;
      RecurrentTiles.scale(scratch, dAt, width, keyDim, state, at, valueDim * 4L);
    }
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
