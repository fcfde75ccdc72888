package dev.apus.kernels.memory;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link MatrixMemory} with the columns of the memory in lanes, so that no sum crosses them.
 * Columns are taken in tiles of a few vectors, the last ones by a vector of which a part is masked.
 */
public final class VectorMatrixMemory implements MatrixMemory {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();

  private static final Rows ONE = new Rows(new float[] {1}, 0, 0);

  private final int shortestChunked;

  public VectorMatrixMemory() {
    this(SHORTEST_CHUNKED);
  }

  /**
   * @param shortestChunked runs of fewer tokens recur only
   */
  VectorMatrixMemory(int shortestChunked) {
    this.shortestChunked = shortestChunked;
  }

  @Override
  public int scratchFloats(Shape shape) {
    return Chunk.floats(shape);
  }

  @Override
  public void advance(
      Shape shape,
      int tokens,
      Rows q,
      Rows k,
      Rows v,
      Rows decay,
      Rows beta,
      MemorySegment state,
      long stateAt,
      Rows o,
      float[] scratch) {
    int t = 0;
    Rows d = shape.decay() == Decay.NONE ? ONE : decay;
    if (tokens >= shortestChunked) {
      for (; t + Chunk.TOKENS <= tokens; t += Chunk.TOKENS) {
        takeChunk(shape, t, q, k, v, d, beta, state, stateAt, o, scratch);
      }
    }
    for (; t < tokens; t++) {
      recur(shape, t, q, k, v, d, beta, state, stateAt, o, scratch);
    }
  }

  /** Takes the memory past one token. */
  private static void recur(
      Shape shape,
      int t,
      Rows q,
      Rows k,
      Rows v,
      Rows d,
      Rows beta,
      MemorySegment state,
      long at,
      Rows o,
      float[] scratch) {
    boolean delta = shape.write() == Write.DELTA;
    float[] u = delta ? scratch : v.data();
    int uAt = delta ? Chunk.writtenAt(shape, 0) : v.start(t);
    int dStep = shape.decay() == Decay.PER_KEY ? 1 : 0;
    if (delta) {
      float b = beta.value(t, 0);
      RecurrentTiles.hold(
          shape, d.data(), d.start(t), dStep, k.data(), k.start(t), state, at, u, uAt);
      subtract(v.data(), v.start(t), u, uAt, b, shape.valueDim());
    }
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
        o.data(),
        o.start(t));
  }

  /** {@code u ← β · (v − u)}. */
  private static void subtract(float[] v, int vAt, float[] u, int uAt, float beta, int count) {
    int j = 0;
    for (; j < LANES.loopBound(count); j += LENGTH) {
      FloatVector held = FloatVector.fromArray(LANES, u, uAt + j);
      FloatVector.fromArray(LANES, v, vAt + j).sub(held).mul(beta).intoArray(u, uAt + j);
    }
    for (; j < count; j++) {
      u[uAt + j] = beta * (v[vAt + j] - u[uAt + j]);
    }
  }

  /** Takes the memory past the tokens of a chunk. */
  private static void takeChunk(
      Shape shape,
      int from,
      Rows q,
      Rows k,
      Rows v,
      Rows d,
      Rows beta,
      MemorySegment state,
      long at,
      Rows o,
      float[] scratch) {
    ChunkTiles.prepare(shape, from, q, k, d, scratch);
    int valueDim = shape.valueDim();
    for (int j = 0; j < valueDim; j += ChunkTiles.WIDTH) {
      int width = Math.min(ChunkTiles.WIDTH, valueDim - j);
      long tileAt = at + j * 4L;
      if (shape.write() == Write.DELTA) {
        int heldAt = Chunk.writtenAt(shape, 0) + j;
        ChunkTiles.read(
            shape, scratch, Chunk.keyAt(shape, 0), state, tileAt, width, scratch, heldAt, valueDim);
      }
      ChunkTiles.read(
          shape,
          scratch,
          Chunk.queryAt(shape, 0),
          state,
          tileAt,
          width,
          o.data(),
          o.start(from) + j,
          o.stride());
      ChunkTiles.settle(shape, from, j, width, v, beta, o, scratch);
      ChunkTiles.write(shape, j, width, scratch, state, tileAt);
    }
  }
}
