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

  /** {@code x[to …] ← a · x[xAt …]}. */
  abstract void multiply(float[] a, int aAt, float[] x, int xAt, int to, int count);

  /** {@code x[to …] ← factor · a}. */
  abstract void scale(float factor, float[] a, int aAt, float[] x, int to, int count);

  /** {@code x[to …] ← β · (v − x[xAt …])}. */
  abstract void correct(float beta, float[] v, int vAt, float[] x, int xAt, int to, int count);

  /** {@code y ← x[xAt …] + Σ_s x[pairAt + s] · x[uAt + s · count …]}, first write first. */
  abstract void sum(
      float[] x, int uAt, int pairAt, int writes, int xAt, float[] y, int yAt, int count);

  /**
   * Writes a chunk to the matrix, and reads with the tokens {@code [from, to)} of the next.
   *
   * @param done the chunk to be written, or null for none
   * @param x scratch; the rows for what is read are zeros
   */
  abstract void pass(
      Chunk done, Chunk next, int from, int to, MemorySegment state, long at, float[] x);

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
    begin(chunk, scratch);
    if (filled > 0) {
      recall(chunk, filled, pending, scratch);
    }
    for (int t = 0; t < tokens; ) {
      Chunk done = filled == chunk.tokens() ? chunk : null;
      if (done != null) {
        finish(done, scratch);
        chunk = spare;
        spare = done;
        held += filled;
        filled = 0;
        begin(chunk, scratch);
      }
      int count = Math.min(chunk.tokens() - filled, tokens - t);
      // Only of the last chunk is anything to be known later.
      Pending later = t + count == tokens ? pending : null;
      for (int i = 0; i < count; i++) {
        prepare(chunk, filled + i, t + i, in, later, scratch);
      }
      int end = filled + count;
      Arrays.fill(scratch, chunk.heldAt(filled), chunk.heldAt(end), 0);
      Arrays.fill(scratch, chunk.readAt(filled), chunk.readAt(end), 0);
      pass(done, chunk, filled, end, state, stateAt, scratch);
      if (done != null) {
        pending.hold(held);
      }
      for (int i = 0; i < count; i++) {
        settle(chunk, filled + i, t + i, in, later, o, scratch);
      }
      filled = end;
      t += count;
    }
  }

  private static void begin(Chunk chunk, float[] x) {
    Arrays.fill(x, chunk.leftAt(0), chunk.leftAt(Chunk.WRITES + 1), 1);
    if (chunk.decaysKeys()) {
      Arrays.fill(x, chunk.keptAt(), chunk.keptAt() + chunk.shape().keyDim(), 1);
    }
    if (chunk.decaysValues()) {
      int at = chunk.keptValueAt();
      Arrays.fill(x, at, at + chunk.shape().valueDim(), 1);
    }
  }

  /** Brings what decays of one number have left of a chunk to its keys. */
  private void finish(Chunk chunk, float[] x) {
    if (chunk.decaysKeys()) {
      return;
    }
    int keyDim = chunk.shape().keyDim();
    float left = x[chunk.leftAt(Chunk.WRITES)];
    Arrays.fill(x, chunk.keptAt(), chunk.keptAt() + keyDim, left);
    for (int s = 0; s < Chunk.WRITES && chunk.shape().decay() == Decay.SCALAR; s++) {
      scale(x[chunk.leftAt(s)], x, chunk.writeAt(s), x, chunk.writeAt(s), keyDim);
    }
  }

  /** Fills in what tokens to come need of the chunk's first tokens. */
  private void recall(Chunk chunk, int tokens, Pending pending, float[] x) {
    int writes = chunk.writes();
    pending.getWrites(tokens * writes, x, chunk.writeAt(0), chunk.writtenAt(0));
    for (int t = 0; t < tokens && chunk.shape().decay() != Decay.NONE; t++) {
      pending.getDecay(t, x, chunk.factorsAt());
      decayKeys(chunk, x, chunk.factorsAt(), t * writes, x);
      decayValues(chunk, x, chunk.factorsAt(), t * writes, x);
    }
  }

  /** Fills in what the columns share of a token. */
  private void prepare(Chunk chunk, int t, int token, Inputs in, Pending later, float[] x) {
    Shape shape = chunk.shape();
    int keyDim = shape.keyDim();
    int before = t * chunk.writes();
    int last = before + chunk.writes() - 1;
    if (shape.write().seeks()) {
      look(chunk, in.p(), token, before, chunk.keyAt(t), chunk.keyPairAt(t), x);
    }
    if (shape.read() == Read.BEFORE) {
      look(chunk, in.q(), token, before, chunk.queryAt(t), chunk.queryPairAt(t), x);
      x[chunk.queryPairAt(t) + last] = bonus(chunk, token, in, x);
    }
    if (shape.decay() != Decay.NONE) {
      Rows d = in.decay();
      decayKeys(chunk, d.data(), d.start(token), before, x);
      if (later != null) {
        later.putDecay(t, d.data(), d.start(token));
      }
    }
    if (shape.write() == Write.ERASE) {
      copy(in.e(), token, x, chunk.writeAt(before), keyDim);
    }
    copy(in.k(), token, x, chunk.writeAt(last), keyDim);
    for (int s = before; s <= last && later != null; s++) {
      later.putKey(s, x, chunk.writeAt(s));
    }
    if (shape.write() == Write.DELTA) {
      look(chunk, in.k(), token, before, chunk.keyAt(t), chunk.keyPairAt(t), x);
    }
    if (shape.read() == Read.AFTER) {
      look(chunk, in.q(), token, last + 1, chunk.queryAt(t), chunk.queryPairAt(t), x);
    }
  }

  private static void copy(Rows rows, int token, float[] x, int at, int count) {
    System.arraycopy(rows.data(), rows.start(token), x, at, count);
  }

  /** What a token looks for in the memory before the chunk, and in the chunk's first writes. */
  private void look(Chunk chunk, Rows rows, int token, int writes, int at, int pairAt, float[] x) {
    int keyDim = chunk.shape().keyDim();
    float[] data = rows.data();
    int from = rows.start(token);
    if (chunk.decaysKeys()) {
      multiply(data, from, x, chunk.keptAt(), at, keyDim);
    } else {
      scale(x[chunk.leftAt(Chunk.WRITES)], data, from, x, at, keyDim);
    }
    if (writes > 0) {
      dots(data, from, x, chunk.writeAt(0), pairAt, keyDim);
    }
    for (int s = 0; s < writes; s++) {
      x[pairAt + s] *= x[chunk.leftAt(s)];
    }
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

  /**
   * Turns what a token has read of the memory as it was before the chunk into what it writes, and
   * into its output.
   */
  private void settle(Chunk chunk, int t, int token, Inputs in, Pending later, Rows o, float[] x) {
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
    if (chunk.decaysValues()) {
      decayValues(chunk, in.decay().data(), in.decay().start(token), before, x);
    }
    if (shape.write() == Write.DELTA) {
      left(chunk, x, heldAt);
      sum(x, uAt, chunk.keyPairAt(t), before, heldAt, x, heldAt, valueDim);
    }
    write(chunk, token, in, heldAt, chunk.writtenAt(before), chunk.writtenAt(last), x);
    for (int s = before; s <= last && later != null; s++) {
      later.putValue(s, x, chunk.writtenAt(s));
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
    if (chunk.decaysValues()) {
      multiply(x, chunk.keptValueAt(), x, at, at, chunk.shape().valueDim());
    }
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
}
