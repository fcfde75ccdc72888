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
 *
 * <p>There are two forms of it. The recurrent form does this token by token: the memory is
 * multiplied by the decay, written to by one fused multiply-add a cell, and both reads are chains
 * of fused multiply-adds over the keys, first key first. The chunked form takes four tokens at
 * once, so that the memory is read and written once for four: with P(s, t) the decay between two
 * tokens,
 *
 * <pre>
 *   u_t = v_t  or  β_t · (v_t − (S₀ᵀ (P(t) ⊙ k_t) + Σ_{s &lt; t} (k_t · (P(s, t) ⊙ k_s)) u_s))
 *   o_t = S₀ᵀ (P(t) ⊙ q_t) + Σ_{s ≤ t} (q_t · (P(s, t) ⊙ k_s)) u_s
 *   S₄ = P(4) ⊙ S₀ + Σ_s (P(s, 4) ⊙ k_s) ⊗ u_s
 * </pre>
 *
 * <p>which differs from the recurrent form by rounding alone. A run of at least {@link
 * #SHORTEST_CHUNKED} tokens is taken in chunks, and the tokens that are left over recur; so how a
 * sequence is cut into runs shows in the last bits of the result. For keys and queries no longer
 * than 1, decays in [0, 1] and β in [0, 2] a token's step makes no error larger, so that after T
 * tokens either form is within {@code T · (keyDim + 4) · 2⁻²³ · r} of the exact result, where r is
 * the greatest length that a column of the memory had, plus the greatest value.
 */
public interface MatrixMemory {

  /**
   * Runs of fewer tokens recur: a chunk of four has to be whole. A run that is cut at multiples of
   * this keeps its bits.
   */
  int SHORTEST_CHUNKED = 4;

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
  record Rows(float[] data, int at, int stride) {

    /** Where token {@code t}'s values begin. */
    public int start(int t) {
      return at + t * stride;
    }

    /** Value {@code i} of token {@code t}. */
    public float value(int t, int i) {
      return data[at + t * stride + i];
    }
  }

  /**
   * Takes one head's memory through {@code tokens} tokens.
   *
   * @param q {@code keyDim} values a token; likewise {@code k}; {@code v} has {@code valueDim}
   * @param decay the factors themselves (not their logarithms): 1 value a token, {@code keyDim}
   *     values, or null, as the shape's decay says
   * @param beta 1 value a token, or null if nothing is written by the delta rule
   * @param state native; row-major {@code keyDim × valueDim} floats from byte {@code stateAt}
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
