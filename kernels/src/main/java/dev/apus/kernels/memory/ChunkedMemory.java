package dev.apus.kernels.memory;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** What {@link MatrixMemory} does chunk by chunk; the arithmetic of rows is its subclasses'. */
abstract class ChunkedMemory implements MatrixMemory {

  /** Sixteen partial sums, added as a tree. */
  abstract float dot(float[] a, int aAt, float[] b, int bAt, int count);

  /**
   * {@code x[to + s] ← a · x[xAt + s · count …]} for each of a chunk's four writes, whether there
   * is something at its place or not.
   */
  abstract void dots(float[] a, int aAt, float[] x, int xAt, int to, int count);

  /**
   * Keeps the key of token {@code t}, and makes sums of the products of a token's query with the
   * keys before it and with its own, and where it matters of its key with those before it.
   */
  void pairs(Chunk chunk, int t, Rows q, Rows k, int token, Pending pending, float[] x) {
    int keyDim = chunk.shape().keyDim();
    int to = chunk.sumsAt();
    int room = chunk.writeAt(0);
    pending.putKey(t, k.data(), k.start(token));
    pending.getKeys(Chunk.WRITES, x, room);
    dots(q.data(), q.start(token), x, room, to, keyDim);
    x[to + Chunk.WRITES - 1] = x[to + t];
    if (chunk.shape().write() != Write.ADD) {
      dots(k.data(), k.start(token), x, room, to + Chunk.WRITES, keyDim);
    }
  }

  /** {@code x[to …] ← a · x[xAt …]}. */
  abstract void multiply(float[] a, int aAt, float[] x, int xAt, int to, int count);

  /** {@code x[from … to) ← 0}. */
  void clear(float[] x, int from, int to) {
    Arrays.fill(x, from, to, 0);
  }

  /** {@code x[at …] ← factor · x[at …]}. */
  abstract void scale(float factor, float[] x, int at, int count);

  /** {@code x[to …] ← β · (v − x[xAt …])}. */
  abstract void correct(float beta, float[] v, int vAt, float[] x, int xAt, int to, int count);

  /** {@code y ← x[xAt …] + Σ_s x[pairAt + s] · x[uAt + s · count …]}, first write first. */
  abstract void sum(
      float[] x, int uAt, int pairAt, int writes, int xAt, float[] y, int yAt, int count);

  /**
   * Turns what a token has read into what it writes, and into its output, unless decays of each
   * value come between. With m the pair with the memory, column by column and first write first:
   *
   * <pre>
   *   h ← m · held + Σ_s pair[s] · u_s       u ← v, or β · (v − h); and −h before it (Write.ERASE)
   *   o ← m · read + Σ_s pair[s] · u_s       here with what the token itself has written
   * </pre>
   *
   * @param from the first column
   */
  void settle(
      Chunk chunk, int t, int from, int token, Inputs in, Pending pending, Rows o, float[] x) {
    Write write = chunk.shape().write();
    int before = t * chunk.writes();
    int last = before + chunk.writes() - 1;
    float beta = write.scaled() ? in.beta().value(token, 0) : 1;
    for (int j = from; j < chunk.shape().valueDim(); j++) {
      float own = in.v().value(token, j);
      if (write != Write.ADD) {
        float held = seen(x, chunk.keyPairAt(t), before, chunk.heldAt(t), pending, j);
        own = write.scaled() ? beta * (own - held) : own;
        if (write == Write.ERASE) {
          pending.putValue(before, j, -held);
        }
      }
      pending.putValue(last, j, own);
      o.data()[o.start(token) + j] =
          seen(x, chunk.queryPairAt(t), last + 1, chunk.readAt(t), pending, j);
    }
  }

  /**
   * Writes a chunk to the matrix, and reads with the tokens {@code [from, to)} of the next.
   *
   * @param done the chunk to be written, or null for none
   * @param keys what these tokens look for with their keys; null if with none
   * @param queries what they look for with their queries
   * @param x scratch; the rows for what is read are zeros
   */
  abstract void pass(
      Chunk done,
      Chunk next,
      int from,
      int to,
      Rows keys,
      Rows queries,
      MemorySegment state,
      long at,
      float[] x);

  @Override
  public int scratchFloats(Shape shape) {
    return 2 * Chunk.floats(shape);
  }

  @Override
  public void advance(
      Shape shape,
      int tokens,
      Inputs in,
      MemorySegment state,
      long stateAt,
      int seen,
      Rows o,
      float[] scratch) {
    Pending pending = new Pending(shape, state, stateAt);
    Chunk chunk = new Chunk(shape, 0);
    Chunk spare = new Chunk(shape, Chunk.floats(shape));
    int held = pending.held();
    int filled = seen - held;
    chunk.begin(scratch);
    recall(chunk, filled, pending, scratch);
    for (int t = 0; t < tokens; ) {
      Chunk done = filled == chunk.tokens() ? chunk : null;
      if (done != null) {
        finish(done, pending, scratch);
        chunk = spare;
        spare = done;
        held += filled;
        filled = 0;
        chunk.begin(scratch);
      }
      int count = Math.min(chunk.tokens() - filled, tokens - t);
      for (int i = 0; i < count; i++) {
        prepare(chunk, filled + i, t + i, in, pending, scratch);
      }
      int end = filled + count;
      Rows keys = chunk.keys(filled, in, t, scratch);
      if (keys != null) {
        clear(scratch, chunk.heldAt(filled), chunk.heldAt(end));
      }
      clear(scratch, chunk.readAt(filled), chunk.readAt(end));
      Rows queries = chunk.queries(filled, in, t, scratch);
      pass(done, chunk, filled, end, keys, queries, state, stateAt, scratch);
      if (done != null) {
        pending.hold(held);
      }
      for (int i = 0; i < count; i++) {
        if (chunk.decaysValues()) {
          settleByValue(chunk, filled + i, t + i, in, pending, o, scratch);
        } else {
          settle(chunk, filled + i, 0, t + i, in, pending, o, scratch);
        }
      }
      filled = end;
      t += count;
    }
  }

  /** Brings together what a full chunk writes: what is left of its keys and values. */
  private void finish(Chunk chunk, Pending pending, float[] x) {
    int keyDim = chunk.shape().keyDim();
    int valueDim = chunk.shape().valueDim();
    if (!chunk.decaysKeys()) {
      pending.getKeys(Chunk.WRITES, x, chunk.writeAt(0));
      float left = x[chunk.leftAt(Chunk.WRITES)];
      Arrays.fill(x, chunk.keptAt(), chunk.keptAt() + keyDim, left);
    }
    if (!chunk.decaysValues()) {
      pending.getValues(Chunk.WRITES, x, chunk.writtenAt(0));
    }
    for (int s = 0; s < Chunk.WRITES && chunk.shape().decay() == Decay.SCALAR; s++) {
      scale(x[chunk.leftAt(s)], x, chunk.writtenAt(s), valueDim);
    }
  }

  /** Fills in what decays have left of the chunk's first tokens. */
  private void recall(Chunk chunk, int tokens, Pending pending, float[] x) {
    int writes = chunk.writes();
    if (chunk.decaysKeys()) {
      pending.getKeys(tokens * writes, x, chunk.writeAt(0));
    }
    if (chunk.decaysValues()) {
      pending.getValues(tokens * writes, x, chunk.writtenAt(0));
    }
    for (int t = 0; t < tokens && chunk.shape().decay() != Decay.NONE; t++) {
      pending.getDecay(t, x, chunk.factorsAt());
      decayKeys(chunk, x, chunk.factorsAt(), t * writes, x);
      decayValues(chunk, x, chunk.factorsAt(), t * writes, x);
    }
  }

  /** Fills in what the columns share of a token. */
  private void prepare(Chunk chunk, int t, int token, Inputs in, Pending pending, float[] x) {
    Shape shape = chunk.shape();
    int before = t * chunk.writes();
    int last = before + chunk.writes() - 1;
    if (chunk.looksOnce()) {
      prepareOnce(chunk, t, token, in, pending, x);
      return;
    }
    if (shape.write().seeks()) {
      look(chunk, in.p(), token, before, chunk.keyAt(t), chunk.keyPairAt(t), pending, x);
    }
    if (shape.read() == Read.BEFORE) {
      look(chunk, in.q(), token, before, chunk.queryAt(t), chunk.queryPairAt(t), pending, x);
      x[chunk.queryPairAt(t) + before] = 0;
      x[chunk.queryPairAt(t) + last] = bonus(chunk, token, in, x);
    }
    if (shape.decay() != Decay.NONE) {
      Rows d = in.decay();
      decayKeys(chunk, d.data(), d.start(token), before, x);
      pending.putDecay(t, d.data(), d.start(token));
    }
    if (shape.write() == Write.ERASE) {
      put(chunk, in.e(), token, before, pending, x);
    }
    put(chunk, in.k(), token, last, pending, x);
    if (shape.write() == Write.DELTA) {
      look(chunk, in.k(), token, before, chunk.keyAt(t), chunk.keyPairAt(t), pending, x);
    }
    if (shape.read() == Read.AFTER) {
      look(chunk, in.q(), token, last + 1, chunk.queryAt(t), chunk.queryPairAt(t), pending, x);
    }
  }

  /** The same where key and query look at the same time for what decays of keys do not change. */
  private void prepareOnce(Chunk chunk, int t, int token, Inputs in, Pending pending, float[] x) {
    if (chunk.shape().decay() != Decay.NONE) {
      Rows d = in.decay();
      decayKeys(chunk, d.data(), d.start(token), t, x);
      pending.putDecay(t, d.data(), d.start(token));
    }
    pairs(chunk, t, in.q(), in.k(), token, pending, x);
    int sumsAt = chunk.sumsAt();
    int leftAt = chunk.leftAt(0);
    int keyPairAt = chunk.keyPairAt(t);
    int queryPairAt = chunk.queryPairAt(t);
    for (int s = 0; s < t; s++) {
      x[queryPairAt + s] = x[sumsAt + s] * x[leftAt + s];
      x[keyPairAt + s] = x[sumsAt + Chunk.WRITES + s] * x[leftAt + s];
    }
    x[queryPairAt + t] = x[sumsAt + Chunk.WRITES - 1];
    x[queryPairAt + Chunk.WRITES] = x[leftAt + Chunk.WRITES];
    x[keyPairAt + Chunk.WRITES] = x[leftAt + Chunk.WRITES];
  }

  /** Keeps a key that is written with. */
  private static void put(Chunk chunk, Rows rows, int token, int s, Pending pending, float[] x) {
    pending.putKey(s, rows.data(), rows.start(token));
    if (chunk.decaysKeys()) {
      copy(rows, token, x, chunk.writeAt(s), chunk.shape().keyDim());
    }
  }

  private static void copy(Rows rows, int token, float[] x, int at, int count) {
    System.arraycopy(rows.data(), rows.start(token), x, at, count);
  }

  /** What a token looks for in the memory before the chunk, and in the chunk's first writes. */
  private void look(
      Chunk chunk,
      Rows rows,
      int token,
      int writes,
      int at,
      int pairAt,
      Pending pending,
      float[] x) {
    int keyDim = chunk.shape().keyDim();
    float[] data = rows.data();
    int from = rows.start(token);
    int writeAt = chunk.writeAt(0);
    if (chunk.decaysKeys()) {
      multiply(data, from, x, chunk.keptAt(), at, keyDim);
      dots(data, from, x, writeAt, pairAt, keyDim);
    } else if (writes > 0) {
      pending.getKeys(writes, x, writeAt);
      dots(data, from, x, writeAt, pairAt, keyDim);
    }
    for (int s = 0; s < writes; s++) {
      x[pairAt + s] *= x[chunk.leftAt(s)];
    }
    x[pairAt + Chunk.WRITES] = x[chunk.leftAt(Chunk.WRITES)];
  }

  /** {@code q · (b ⊙ k)}. */
  private float bonus(Chunk chunk, int token, Inputs in, float[] x) {
    int at = chunk.weighedAt();
    int keyDim = chunk.shape().keyDim();
    copy(in.k(), token, x, at, keyDim);
    multiply(in.b().data(), in.b().start(token), x, at, at, keyDim);
    return dot(in.q().data(), in.q().start(token), x, at, keyDim);
  }

  /** Decays what is left of the memory's rows, and of the keys that have been written. */
  private void decayKeys(Chunk chunk, float[] d, int dAt, int writes, float[] x) {
    int keyDim = chunk.shape().keyDim();
    if (chunk.shape().decay() == Decay.SCALAR) {
      x[chunk.leftAt(Chunk.WRITES)] *= d[dAt];
      for (int s = 0; s < writes; s++) {
        x[chunk.leftAt(s)] *= d[dAt];
      }
    } else if (chunk.decaysKeys()) {
      multiply(d, dAt, x, chunk.keptAt(), chunk.keptAt(), keyDim);
      for (int s = 0; s < writes; s++) {
        multiply(d, dAt, x, chunk.writeAt(s), chunk.writeAt(s), keyDim);
      }
    }
  }

  /** Decays the columns that are left of the memory, and of what has been written to it. */
  private void decayValues(Chunk chunk, float[] d, int dAt, int writes, float[] x) {
    if (chunk.decaysValues()) {
      int valueDim = chunk.shape().valueDim();
      multiply(d, dAt, x, chunk.keptValueAt(), chunk.keptValueAt(), valueDim);
      for (int s = 0; s < writes; s++) {
        multiply(d, dAt, x, chunk.writtenAt(s), chunk.writtenAt(s), valueDim);
      }
    }
  }

  /** What {@link #settle} does, where each value decays. */
  private void settleByValue(
      Chunk chunk, int t, int token, Inputs in, Pending pending, Rows o, float[] x) {
    Shape shape = chunk.shape();
    int valueDim = shape.valueDim();
    int before = t * chunk.writes();
    int last = before + chunk.writes() - 1;
    int heldAt = chunk.heldAt(t);
    int readAt = chunk.readAt(t);
    int uAt = chunk.writtenAt(0);
    if (shape.write().seeks()) {
      left(chunk, x, heldAt);
      sum(x, uAt, chunk.keyPairAt(t), before, heldAt, x, heldAt, valueDim);
    }
    if (shape.read() == Read.BEFORE) {
      left(chunk, x, readAt);
      sum(x, uAt, chunk.queryPairAt(t), before, readAt, x, readAt, valueDim);
    }
    decayValues(chunk, in.decay().data(), in.decay().start(token), before, x);
    if (shape.write() == Write.DELTA) {
      left(chunk, x, heldAt);
      sum(x, uAt, chunk.keyPairAt(t), before, heldAt, x, heldAt, valueDim);
    }
    write(chunk, token, in, heldAt, chunk.writtenAt(before), chunk.writtenAt(last), x);
    for (int s = before; s <= last; s++) {
      pending.putValue(s, x, chunk.writtenAt(s));
    }
    int oAt = o.start(token);
    if (shape.read() == Read.BEFORE) {
      int pairAt = chunk.queryPairAt(t) + last;
      sum(x, chunk.writtenAt(last), pairAt, 1, readAt, o.data(), oAt, valueDim);
    } else {
      left(chunk, x, readAt);
      sum(x, uAt, chunk.queryPairAt(t), last + 1, readAt, o.data(), oAt, valueDim);
    }
  }

  /** What decays of each value leave of something read. */
  private void left(Chunk chunk, float[] x, int at) {
    multiply(x, chunk.keptValueAt(), x, at, at, chunk.shape().valueDim());
  }

  /** What a token writes: at {@code uAt} what it takes away, if anything. */
  private void write(Chunk chunk, int token, Inputs in, int heldAt, int uAt, int ownAt, float[] x) {
    Rows v = in.v();
    int valueDim = chunk.shape().valueDim();
    if (chunk.shape().write().scaled()) {
      float beta = in.beta().value(token, 0);
      correct(beta, v.data(), v.start(token), x, heldAt, ownAt, valueDim);
      return;
    }
    if (chunk.shape().write() == Write.ERASE) {
      for (int j = 0; j < valueDim; j++) {
        x[uAt + j] = -x[heldAt + j];
      }
    }
    copy(v, token, x, ownAt, valueDim);
  }

  /** What column j shows of the memory before the chunk, and of the chunk's first writes. */
  private static float seen(float[] x, int pairAt, int writes, int at, Pending pending, int j) {
    float sum = x[pairAt + Chunk.WRITES] * x[at + j];
    for (int s = 0; s < writes; s++) {
      sum = Math.fma(x[pairAt + s], pending.value(s, j), sum);
    }
    return sum;
  }
}
