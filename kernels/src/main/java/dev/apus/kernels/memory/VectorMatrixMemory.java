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
      int whole = tokens - tokens % Chunk.TOKENS;
      for (; t < whole; t += Math.min(whole - t, Chunk.GROUP * Chunk.TOKENS)) {
        int chunks = Math.min(Chunk.GROUP, (whole - t) / Chunk.TOKENS);
        takeGroup(shape, t, chunks, q, k, v, d, beta, state, stateAt, o, scratch);
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
    boolean perKey = shape.decay() == Decay.PER_KEY;
    float[] key = k.data();
    int keyAt = k.start(t);
    if (delta && perKey) {
      System.arraycopy(key, keyAt, scratch, 0, shape.keyDim());
      ChunkTiles.multiply(d.data(), d.start(t), scratch, 0, 0, shape.keyDim());
      key = scratch;
      keyAt = 0;
    }
    float factor = perKey ? 1 : d.value(t, 0);
    float b = delta ? beta.value(t, 0) : 0;
    int width;
    for (int j = 0; j < shape.valueDim(); j += width) {
      width = RecurrentTiles.width(shape, j);
      float[] u = v.data();
      int uAt = v.start(t) + j;
      if (delta) {
        u = scratch;
        uAt = shape.keyDim();
        RecurrentTiles.hold(shape, j, width, key, keyAt, state, at, u, uAt);
        subtract(v.data(), v.start(t) + j, u, uAt, factor, b, width);
      }
      RecurrentTiles.write(
          shape,
          j,
          width,
          d.data(),
          d.start(t),
          perKey ? 1 : 0,
          k.data(),
          k.start(t),
          q.data(),
          q.start(t),
          u,
          uAt,
          state,
          at,
          o.data(),
          o.start(t) + j);
    }
  }

  /** {@code u ← β · (v − factor · u)}. */
  private static void subtract(
      float[] v, int vAt, float[] u, int uAt, float factor, float beta, int count) {
    int j = 0;
    for (; j < LANES.loopBound(count); j += LENGTH) {
      FloatVector held = FloatVector.fromArray(LANES, u, uAt + j).mul(factor);
      FloatVector.fromArray(LANES, v, vAt + j).sub(held).mul(beta).intoArray(u, uAt + j);
    }
    for (; j < count; j++) {
      u[uAt + j] = beta * (v[vAt + j] - factor * u[uAt + j]);
    }
  }

  /** Takes the memory past the tokens of a few chunks, block by block. */
  private static void takeGroup(
      Shape shape,
      int from,
      int chunks,
      Rows q,
      Rows k,
      Rows v,
      Rows d,
      Rows beta,
      MemorySegment state,
      long at,
      Rows o,
      float[] scratch) {
    boolean perKey = shape.decay() == Decay.PER_KEY;
    for (int c = 0; c < chunks; c++) {
      int first = from + c * Chunk.TOKENS;
      if (!perKey) {
        Chunk.copyKeys(shape, first, q, k, scratch, Chunk.start(shape, c));
      }
      Chunk.copyValues(shape, first, v, scratch, Chunk.start(shape, c));
    }
    for (int c = 0; c < chunks; c++) {
      int first = from + c * Chunk.TOKENS;
      if (perKey) {
        ChunkTiles.prepareDecayed(shape, first, q, k, d, scratch, Chunk.start(shape, c));
      } else {
        ChunkTiles.prepare(shape, first, d, scratch, Chunk.start(shape, c));
      }
    }
    for (int j = 0; j < shape.valueDim(); j += Blocks.COLUMNS) {
      int width = Blocks.width(shape, j);
      long blockAt = at + Blocks.at(shape, 0, j);
      for (int c = 0; c < chunks; c++) {
        int first = from + c * Chunk.TOKENS;
        int chunkAt = Chunk.start(shape, c);
        ChunkTiles.advance(shape, first, j, width, beta, state, blockAt, scratch, chunkAt);
      }
    }
    for (int c = 0; c < chunks; c++) {
      Chunk.copyOutputs(shape, from + c * Chunk.TOKENS, o, scratch, Chunk.start(shape, c));
    }
  }
}
