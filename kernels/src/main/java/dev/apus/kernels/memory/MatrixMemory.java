package dev.apus.kernels.memory;

import java.lang.foreign.MemorySegment;

/**
 * The matrix state of linear attention and its kin: one {@code keyDim × valueDim} memory of a head
 * that decays, is written and is read once for each token.
 *
 * <pre>
 *   S ← D ⊙ S                          D: 1, one factor, or one factor for each key
 *   u = v               (Write.ADD)    u = β · (v − Sᵀ k)   (Write.DELTA)
 *   S ← S + k ⊗ u
 *   o = Sᵀ q
 * </pre>
 */
public interface MatrixMemory {

  /** What the memory forgets at each token. */
  enum Decay {
    NONE,
    /** One factor for the whole memory. */
    SCALAR,
    /** One factor for each key: row {@code i} of S is multiplied by factor {@code i}. */
    PER_KEY
  }

  /** What a token writes. */
  enum Write {
    /** Its value. */
    ADD,
    /** β times the part of its value that the memory does not hold yet: the delta rule. */
    DELTA
  }

  /** The traits of a rule and the shape of its memory. */
  record Shape(int keyDim, int valueDim, Decay decay, Write write) {}

  /** Rows of one head's inputs: token {@code t}'s begin at {@code at + t · stride}. */
  record Rows(float[] data, int at, int stride) {}

  /**
   * Takes one head's memory through {@code tokens} tokens.
   *
   * @param q {@code keyDim} values a token; likewise {@code k}; {@code v} has {@code valueDim}
   * @param decay the factors themselves (not their logarithms): 1 value a token, {@code keyDim}
   *     values, or null, as the shape's decay says
   * @param beta 1 value a token, or null if nothing is written by the delta rule
   * @param state row-major {@code keyDim × valueDim} floats from byte {@code stateAt}
   * @param o receives {@code valueDim} values a token
   * @param scratch at least {@link #scratchFloats} floats that no other thread uses
   */
  void advance(
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
      float[] scratch);

  int scratchFloats(Shape shape);
}
