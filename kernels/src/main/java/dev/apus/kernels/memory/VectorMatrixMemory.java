package dev.apus.kernels.memory;

import java.lang.foreign.MemorySegment;

/**
 * {@link MatrixMemory} with the columns of the memory in lanes, so that no sum crosses them.
 * Columns are taken in tiles of a few vectors, the last ones by a vector of which a part is masked.
 */
public final class VectorMatrixMemory implements MatrixMemory {

  private static final Rows ONE = new Rows(new float[] {1}, 0, 0);

  private final boolean chunked;

  public VectorMatrixMemory() {
    this(true);
  }

  /**
   * @param chunked whether runs are taken in chunks; otherwise every token recurs
   */
  VectorMatrixMemory(boolean chunked) {
    this.chunked = chunked;
  }

  @Override
  public int scratchFloats(Shape shape) {
    return Chunk.floats(shape);
  }

  @Override
  public void advance(
      Shape shape,
      int tokens,
      Inputs in,
      MemorySegment state,
      long stateAt,
      Rows o,
      float[] scratch) {
    int t = 0;
    int taken = Chunk.tokens(shape);
    for (; chunked && t + taken <= tokens; t += taken) {
      takeChunk(shape, t, in, state, stateAt, o, scratch);
    }
    for (; t < tokens; t++) {
      recur(shape, t, in, state, stateAt, o, scratch);
    }
  }

  /** Takes the memory past one token. */
  private static void recur(
      Shape shape, int t, Inputs in, MemorySegment state, long at, Rows o, float[] scratch) {
    int valueDim = shape.valueDim();
    boolean before = shape.read() == Read.BEFORE;
    int hAt = Chunk.heldAt(shape, 0);
    if (shape.write().seeks()) {
      hold(shape, ONE, in.p(), t, state, at, scratch, hAt);
    }
    if (before) {
      hold(shape, ONE, in.q(), t, state, at, o.data(), o.start(t));
    }
    Rows d = in.decay();
    if (shape.decay() == Decay.PER_VALUE) {
      RecurrentTiles.scale(
          d.data(), d.start(t), valueDim, shape.keyDim(), state, at, valueDim * 4L);
    }
    d = shape.decay() == Decay.SCALAR || shape.decay() == Decay.PER_KEY ? d : ONE;
    if (shape.write() == Write.DELTA) {
      hold(shape, d, in.k(), t, state, at, scratch, hAt);
    }
    int notRead = Chunk.readAt(shape, 0);
    float[] u = in.v().data();
    int uAt = in.v().start(t);
    if (shape.write().scaled()) {
      RecurrentTiles.subtract(u, uAt, scratch, hAt, in.beta().value(t, 0), hAt, valueDim);
      u = scratch;
      uAt = hAt;
    } else if (shape.write() == Write.ERASE) {
      RecurrentTiles.negate(scratch, hAt, hAt, valueDim);
      write(shape, d, in.e(), in.q(), t, scratch, hAt, state, at, scratch, notRead);
      d = ONE;
    }
    if (before) {
      write(shape, d, in.k(), in.q(), t, u, uAt, state, at, scratch, notRead);
      float bonus = ChunkKeys.bonus(shape, t, in, scratch);
      RecurrentTiles.addScaled(bonus, u, uAt, o.data(), o.start(t), valueDim);
    } else {
      write(shape, d, in.k(), in.q(), t, u, uAt, state, at, o.data(), o.start(t));
    }
  }

  private static void hold(
      Shape shape, Rows d, Rows k, int t, MemorySegment state, long at, float[] h, int hAt) {
    int dStep = d != ONE && shape.decay() == Decay.PER_KEY ? 1 : 0;
    RecurrentTiles.hold(
        shape, d.data(), d.start(t), dStep, k.data(), k.start(t), state, at, h, hAt);
  }

  private static void write(
      Shape shape,
      Rows d,
      Rows k,
      Rows q,
      int t,
      float[] u,
      int uAt,
      MemorySegment state,
      long at,
      float[] o,
      int oAt) {
    int dStep = d != ONE && shape.decay() == Decay.PER_KEY ? 1 : 0;
    RecurrentTiles.write(
        shape,
        d.data(),
        d.start(t),
        dStep,
        k.data(),
        k.start(t),
        q.data(),
        q.start(t),
        u,
        uAt,
        state,
        at,
        o,
        oAt);
  }

  /** Takes the memory past the tokens of a chunk. */
  private static void takeChunk(
      Shape shape, int from, Inputs in, MemorySegment state, long at, Rows o, float[] scratch) {
    ChunkKeys.prepare(shape, from, in, scratch);
    int keyDim = shape.keyDim();
    int valueDim = shape.valueDim();
    int reads = 2 * Chunk.tokens(shape);
    int first = shape.write() == Write.ADD ? Chunk.tokens(shape) : 0;
    for (int j = 0; j < valueDim; j += ChunkTiles.WIDTH) {
      int width = Math.min(ChunkTiles.WIDTH, valueDim - j);
      long tileAt = at + j * 4L;
      for (int row = first; row < reads; row += ChunkTiles.READS) {
        int keyAt = Chunk.keyAt(shape, 0) + row * keyDim;
        int heldAt = Chunk.heldAt(shape, 0) + row * valueDim + j;
        ChunkTiles.read(shape, scratch, keyAt, state, tileAt, width, scratch, heldAt);
      }
      ChunkTiles.settle(shape, from, j, width, in, o, scratch);
      ChunkTiles.write(shape, j, width, scratch, state, tileAt);
    }
  }
}
