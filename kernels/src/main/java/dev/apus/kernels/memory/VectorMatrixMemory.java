package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorSums;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
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
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Rows that are taken at a time: 16 KiB of 128 columns. */
  private static final int ROWS = 32;

  public VectorMatrixMemory() {}

  @Override
  float dot(float[] a, int aAt, float[] b, int bAt, int count) {
    return VectorSums.dot(a, aAt, b, bAt, count);
  }

  @Override
  void dots(float[] a, int aAt, float[] x, int xAt, int to, int count) {
    VectorSums.dots(a, aAt, x, xAt, count, count, x, to);
  }

  @Override
  void pairs(Chunk chunk, int t, Rows q, Rows k, int token, Pending pending, float[] x) {
    int keyDim = chunk.shape().keyDim();
    if (!PairSums.fit(keyDim)) {
      super.pairs(chunk, t, q, k, token, pending, x);
      return;
    }
    MemorySegment keys = pending.state();
    long at = pending.keyAt(0);
    long putAt = pending.keyAt(t);
    int qAt = q.start(token);
    int kAt = k.start(token);
    int to = chunk.sumsAt();
    if (chunk.shape().write() == Write.ADD) {
      PairSums.ofQuery(q.data(), qAt, k.data(), kAt, keys, at, putAt, keyDim, x, to);
    } else {
      PairSums.ofBoth(q.data(), qAt, k.data(), kAt, keys, at, putAt, keyDim, x, to);
    }
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

  /** Rows are short: a call to fill one takes as long to begin as this takes in all. */
  @Override
  void clear(float[] x, int from, int to) {
    int i = from;
    for (; i <= to - LENGTH; i += LENGTH) {
      FloatVector.zero(LANES).intoArray(x, i);
    }
    for (; i < to; i++) {
      x[i] = 0;
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
  void settle(
      Chunk chunk, int t, int from, int token, Inputs in, Pending pending, Rows o, float[] x) {
    Write write = chunk.shape().write();
    boolean holds = write != Write.ADD;
    boolean scaled = write.scaled();
    boolean erases = write == Write.ERASE;
    int before = t * chunk.writes();
    int last = before + chunk.writes() - 1;
    int heldAt = chunk.heldAt(t);
    int readAt = chunk.readAt(t);
    int keyPairAt = chunk.keyPairAt(t);
    int queryPairAt = chunk.queryPairAt(t);
    float beta = scaled ? in.beta().value(token, 0) : 1;
    float[] v = in.v().data();
    int vAt = in.v().start(token);
    float[] out = o.data();
    int outAt = o.start(token);
    MemorySegment state = pending.state();
    long uAt = pending.valueAt(0);
    int end = LANES.loopBound(chunk.shape().valueDim());
    long rowBytes = chunk.shape().valueDim() * 4L;
    for (int j = 0; j < end; j += LENGTH) {
      long at = uAt + j * 4L;
      FloatVector own = FloatVector.fromArray(LANES, v, vAt + j);
      FloatVector read = FloatVector.fromArray(LANES, x, readAt + j);
      read = read.mul(x[queryPairAt + Chunk.WRITES]);
      if (holds) {
        FloatVector held = FloatVector.fromArray(LANES, x, heldAt + j);
        held = held.mul(x[keyPairAt + Chunk.WRITES]);
        for (int s = 0; s < before; s++, at += rowBytes) {
          FloatVector u = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
          held = u.fma(FloatVector.broadcast(LANES, x[keyPairAt + s]), held);
          read = u.fma(FloatVector.broadcast(LANES, x[queryPairAt + s]), read);
        }
        if (scaled) {
          own = own.sub(held).mul(beta);
        }
        if (erases) {
          FloatVector away = held.neg();
          away.intoMemorySegment(state, at, ORDER);
          read = away.fma(FloatVector.broadcast(LANES, x[queryPairAt + before]), read);
          at += rowBytes;
        }
      } else {
        for (int s = 0; s < before; s++, at += rowBytes) {
          FloatVector u = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
          read = u.fma(FloatVector.broadcast(LANES, x[queryPairAt + s]), read);
        }
      }
      own.intoMemorySegment(state, at, ORDER);
      read = own.fma(FloatVector.broadcast(LANES, x[queryPairAt + last]), read);
      read.intoArray(out, outAt + j);
    }
    super.settle(chunk, t, end, token, in, pending, o, x);
  }

  @Override
  void pass(
      Chunk done,
      Chunk next,
      int from,
      int to,
      Rows keys,
      Rows queries,
      MemorySegment state,
      long at,
      float[] x) {
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
        passAll(done, next, keys, queries, i, rows, state, rowsAt, x);
      } else {
        passSome(done, next, from, to, keys, queries, i, rows, state, rowsAt, x);
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

  /** Reads with all tokens of a chunk, whose answers are rows one after the other. */
  private static void passAll(
      Chunk done,
      Chunk next,
      Rows keys,
      Rows queries,
      int i,
      int rows,
      MemorySegment state,
      long at,
      float[] x) {
    int j = 0;
    if (done != null) {
      if (together(next, true)) {
        j = WriteReadTiles.eight(done, i, keys, queries, rows, state, at, x, next.heldAt(0));
      }
      WriteTiles.write(done, j, i, rows, state, at, x);
    }
    Shape shape = next.shape();
    Rows query = from(queries, 0, i);
    if (next.tokens() == 2) {
      ReadTiles.four(shape, j, from(keys, 0, i), query, rows, state, at, x, next.heldAt(0));
      return;
    }
    if (keys != null) {
      Rows key = from(keys, 0, i);
      Rows later = from(keys, 2, i);
      ReadTiles.four(shape, j, key, later, rows, state, at, x, next.heldAt(0));
    }
    Rows later = from(queries, 2, i);
    ReadTiles.four(shape, j, query, later, rows, state, at, x, next.readAt(0));
  }

  /** Rows from token {@code t} on, and in them from value {@code i} on. */
  private static Rows from(Rows rows, int t, int i) {
    return new Rows(rows.data(), rows.start(t) + i, rows.stride());
  }

  /** Reads with each token's key and query, or with two tokens' queries. */
  private static void passSome(
      Chunk done,
      Chunk next,
      int from,
      int to,
      Rows keys,
      Rows queries,
      int i,
      int rows,
      MemorySegment state,
      long at,
      float[] x) {
    Shape shape = next.shape();
    int step = keys == null ? 2 : 1;
    float[] b = queries.data();
    for (int t = from; t < to; t += step) {
      int other = Math.min(t + 1, to - 1);
      float[] a = keys == null ? b : keys.data();
      int aAt = i + (keys == null ? queries.start(other - from) : keys.start(t - from));
      int bAt = i + queries.start(t - from);
      int heldAt = keys == null ? next.readAt(other) : next.heldAt(t);
      int readAt = next.readAt(t);
      int j = 0;
      if (done != null && t == from) {
        if (together(next, false)) {
          j = WriteReadTiles.two(done, i, a, aAt, b, bAt, rows, state, at, x, heldAt, readAt);
        }
        WriteTiles.write(done, j, i, rows, state, at, x);
      }
      ReadTiles.two(shape, j, a, aAt, b, bAt, rows, state, at, x, heldAt, readAt);
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
