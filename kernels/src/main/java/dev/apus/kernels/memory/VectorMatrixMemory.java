package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorSums;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link MatrixMemory} with the columns of the memory in lanes, so that no sum crosses them. The
 * matrix is taken in tiles of a few vectors of columns, the last ones by a vector of which a part
 * is masked. Where one loop cannot do all that is to be done with a row, some rows are taken at a
 * time, which lie in one piece and stay in L1 from loop to loop.
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
  void dots(float[] a, int aAt, float[] x, int xAt, int to, int count) {
    VectorSums.dots(a, aAt, x, xAt, count, x, to);
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
  void scale(float factor, float[] a, int aAt, float[] x, int to, int count) {
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      FloatVector.fromArray(LANES, a, aAt + i).mul(factor).intoArray(x, to + i);
    }
    for (; i < count; i++) {
      x[to + i] = factor * a[aAt + i];
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
    boolean all = to - from == next.tokens();
    boolean scales = done != null && done.decaysValues();
    int keyDim = next.shape().keyDim();
    int block = scales || loops(done, next, to - from) > 1 ? ROWS : keyDim;
    for (int i = 0; i < keyDim; i += block) {
      int rows = Math.min(block, keyDim - i);
      long rowsAt = at + (long) i * next.shape().valueDim() * Float.BYTES;
      if (scales) {
        WriteTiles.scale(done, rows, state, rowsAt, x);
      }
      if (all) {
        passAll(done, next, i, rows, state, rowsAt, x);
      } else {
        passSome(done, next, from, to, i, rows, state, rowsAt, x);
      }
    }
  }

  /** In how many loops a row is written and read. */
  private static int loops(Chunk done, Chunk next, int tokens) {
    boolean all = tokens == next.tokens();
    int reads = all ? keys(next) / ReadTiles.ROWS : tokens;
    if (done == null) {
      return reads;
    }
    if (!together(next, all)) {
      return 1 + reads;
    }
    return all ? 1 : reads;
  }

  /** Whether one loop writes a chunk and reads with keys of all tokens, or some, of the next. */
  private static boolean together(Chunk next, boolean all) {
    return ReadTiles.LARGE && (!all || keys(next) == WriteReadTiles.ROWS);
  }

  /** How many keys all tokens of a chunk read with. */
  private static int keys(Chunk chunk) {
    return chunk.shape().write() == Write.ADD ? chunk.tokens() : 2 * chunk.tokens();
  }

  /** Reads with all tokens of a chunk, whose keys and queries are rows one after the other. */
  private static void passAll(
      Chunk done, Chunk next, int i, int rows, MemorySegment state, long at, float[] x) {
    int end = 2 * next.tokens();
    int first = end - keys(next);
    int j = 0;
    if (done != null) {
      if (together(next, true)) {
        int keyAt = next.keyAt(0) + i;
        j = WriteReadTiles.eight(done, i, keyAt, rows, state, at, x, next.heldAt(0));
      }
      WriteTiles.write(done, j, i, rows, state, at, x);
    }
    for (int row = first; row < end; row += ReadTiles.ROWS) {
      ReadTiles.four(next.shape(), j, next.keyAt(row) + i, rows, state, at, x, next.heldAt(row));
    }
  }

  /** Reads with each token's key and query, or with two tokens' queries. */
  private static void passSome(
      Chunk done,
      Chunk next,
      int from,
      int to,
      int i,
      int rows,
      MemorySegment state,
      long at,
      float[] x) {
    boolean queries = next.shape().write() == Write.ADD;
    for (int t = from; t < to; t += queries ? 2 : 1) {
      int other = Math.min(t + 1, to - 1);
      int aAt = i + (queries ? next.queryAt(other) : next.keyAt(t));
      int bAt = i + next.queryAt(t);
      int heldAt = queries ? next.readAt(other) : next.heldAt(t);
      int readAt = next.readAt(t);
      int j = 0;
      if (done != null && t == from) {
        if (together(next, false)) {
          j = WriteReadTiles.two(done, i, aAt, bAt, rows, state, at, x, heldAt, readAt);
        }
        WriteTiles.write(done, j, i, rows, state, at, x);
      }
      ReadTiles.two(next.shape(), j, aAt, bAt, rows, state, at, x, heldAt, readAt);
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
