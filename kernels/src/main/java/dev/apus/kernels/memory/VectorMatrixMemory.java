package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorSums;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link MatrixMemory} with the columns of the memory in lanes, so that no sum crosses them. The
 * matrix is taken some rows at a time, which lie in one piece and stay in L1 while they are written
 * and read in tiles of a few vectors of columns, the last ones by a vector of which a part is
 * masked.
 */
public final class VectorMatrixMemory extends ChunkedMemory {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();

  /** Rows that are taken at a time: 16 KiB of 128 columns. */
  private static final int ROWS = 32;

  public VectorMatrixMemory() {}

  @Override
  float dot(float[] a, int aAt, float[] b, int bAt, int count) {
    return VectorSums.dot(a, aAt, b, bAt, count);
  }

  @Override
  void multiply(float[] a, int aAt, float[] x, int xAt, int to, int count) {
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      FloatVector v = FloatVector.fromArray(LANES, x, xAt + i);
      v.mul(FloatVector.fromArray(LANES, a, aAt + i)).intoArray(x, to + i);
    }
    for (; i < count; i++) {
      x[to + i] = x[xAt + i] * a[aAt + i];
    }
  }

  @Override
  void scale(float factor, float[] x, int at, int count) {
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      FloatVector.fromArray(LANES, x, at + i).mul(factor).intoArray(x, at + i);
    }
    for (; i < count; i++) {
      x[at + i] *= factor;
    }
  }

  @Override
  void correct(float beta, float[] v, int vAt, float[] x, int xAt, int to, int count) {
    int j = 0;
    for (; j < LANES.loopBound(count); j += LENGTH) {
      FloatVector held = FloatVector.fromArray(LANES, x, xAt + j);
      FloatVector.fromArray(LANES, v, vAt + j).sub(held).mul(beta).intoArray(x, to + j);
    }
    for (; j < count; j++) {
      x[to + j] = beta * (v[vAt + j] - x[xAt + j]);
    }
  }

  @Override
  void sum(float[] x, int uAt, int pairAt, int writes, int xAt, float[] y, int yAt, int count) {
    int j = 0;
    for (; j < LANES.loopBound(count); j += LENGTH) {
      FloatVector sum = FloatVector.fromArray(LANES, x, xAt + j);
      for (int s = 0; s < writes; s++) {
        FloatVector u = FloatVector.fromArray(LANES, x, uAt + s * count + j);
        sum = u.fma(FloatVector.broadcast(LANES, x[pairAt + s]), sum);
      }
      sum.intoArray(y, yAt + j);
    }
    for (; j < count; j++) {
      float sum = x[xAt + j];
      for (int s = 0; s < writes; s++) {
        sum = Math.fma(x[pairAt + s], x[uAt + s * count + j], sum);
      }
      y[yAt + j] = sum;
    }
  }

  @Override
  void pass(Chunk done, Chunk next, int from, int to, MemorySegment state, long at, float[] x) {
    int keyDim = next.shape().keyDim();
    for (int i = 0; i < keyDim; i += ROWS) {
      int rows = Math.min(ROWS, keyDim - i);
      long rowsAt = at + (long) i * next.shape().valueDim() * Float.BYTES;
      if (done != null) {
        WriteTiles.write(done, i, rows, state, rowsAt, x);
      }
      if (to - from == next.tokens()) {
        readAll(next, i, rows, state, rowsAt, x);
      } else {
        readSome(next, from, to, i, rows, state, rowsAt, x);
      }
    }
  }

  /** Reads with all tokens of a chunk, whose keys and queries are rows one after the other. */
  private static void readAll(
      Chunk chunk, int i, int rows, MemorySegment state, long at, float[] x) {
    int first = chunk.shape().write() == Write.ADD ? chunk.tokens() : 0;
    for (int row = first; row < 2 * chunk.tokens(); row += ReadTiles.ROWS) {
      ReadTiles.four(chunk.shape(), chunk.keyAt(row) + i, rows, state, at, x, chunk.heldAt(row));
    }
  }

  /** Reads with each token's key and query, or with two tokens' queries. */
  private static void readSome(
      Chunk chunk, int from, int to, int i, int rows, MemorySegment state, long at, float[] x) {
    boolean queries = chunk.shape().write() == Write.ADD;
    for (int t = from; t < to; t += queries ? 2 : 1) {
      int other = Math.min(t + 1, to - 1);
      int aAt = queries ? chunk.queryAt(other) : chunk.keyAt(t);
      int heldAt = queries ? chunk.readAt(other) : chunk.heldAt(t);
      ReadTiles.two(
          chunk.shape(),
          aAt + i,
          chunk.queryAt(t) + i,
          rows,
          state,
          at,
          x,
          heldAt,
          chunk.readAt(t));
    }
  }

  @Override
  public void write(
      Shape shape,
      float decay,
      float[] k,
      int kAt,
      float[] v,
      int vAt,
      MemorySegment state,
      long stateAt) {
    WriteTiles.write(shape, decay, k, kAt, v, vAt, state, stateAt);
  }
}
