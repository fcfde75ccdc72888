package dev.apus.kernels.memory;

import java.lang.foreign.MemorySegment;

/**
 * The matrix state of linear attention and its kin: one {@code keyDim × valueDim} memory of a head
 * that decays, is written and is read once for each token.
 *
 * <pre>
 *   h = (D ⊙ S)ᵀ k (Write.DELTA)        h = Sᵀ p (Write.FEEDBACK, ERASE)
 *   u = v (Write.ADD, ERASE)            u = β · (v − h) (Write.DELTA, FEEDBACK)
 *   R = S                               what the token before has left
 *   S ← D ⊙ S                           D: 1, one factor, or one for each key or each value
 *   S ← S − e ⊗ h (Write.ERASE)
 *   S ← S + k ⊗ u
 *   o = Sᵀ q (Read.AFTER)               o = Rᵀ q + (q · (b ⊙ k)) u (Read.BEFORE)
 * </pre>
 *
 * <p>There are two forms of it. The recurrent form does this token by token: the memory is
 * multiplied by the decay, written to by one fused multiply-add a cell and write, and reads are
 * chains of fused multiply-adds over the keys, first key first. The chunked form takes four tokens
 * at once, so that the memory is read and written once for four: with P(s, t) the decay between two
 * tokens,
 *
 * <pre>
 *   u_t = v_t  or  β_t · (v_t − (S₀ᵀ (P(t) ⊙ k_t) + Σ_{s &lt; t} (k_t · (P(s, t) ⊙ k_s)) u_s))
 *   o_t = S₀ᵀ (P(t) ⊙ q_t) + Σ_{s ≤ t} (q_t · (P(s, t) ⊙ k_s)) u_s
 *   S₄ = P(4) ⊙ S₀ + Σ_s (P(s, 4) ⊙ k_s) ⊗ u_s
 * </pre>
 *
 * <p>Whatever is read of the memory as the token before has left it has P(t − 1) in place of P(t).
 * A decay of each value multiplies the columns of what is read and the u_s instead of keys. A token
 * that also erases writes twice, {@code e ⊗ (−h)} and {@code k ⊗ v}, and a chunk has two such
 * tokens: in all of them the memory is written four times.
 *
 * <p>The forms differ by rounding alone. A run is taken in chunks, and the tokens that are left
 * over recur; so how a sequence is cut into runs shows in the last bits of the result, unless it is
 * cut at multiples of {@link #SHORTEST_CHUNKED} tokens. For keys and queries no longer than 1,
 * decays and b in [−1, 1] and β in [0, 2] a token's step makes no error larger where it adds or
 * writes by the delta rule, so that after T tokens either form is within {@code T · (keyDim + 4) ·
 * 2⁻²³ · r} of the exact result, where r is the greatest length that a column of the memory had,
 * plus the greatest value. Where a memory is read with keys p of their own, errors grow as the
 * memory itself does: this is to be multiplied by the greatest factor by which the tokens' steps,
 * {@code diag(D) − β k ⊗ p} or {@code diag(D) − e ⊗ p}, stretch any vector.
 */
public interface MatrixMemory {

  /** Runs of fewer tokens recur only; this is also where runs may be cut with the same bits. */
  int SHORTEST_CHUNKED = 4;

  /** What the memory forgets at each token. */
  enum Decay {
    NONE,
    /** One factor for the whole memory. */
    SCALAR,
    /** One factor for each key: row {@code i} of S is multiplied by factor {@code i}. */
    PER_KEY,
    /** One factor for each value: column {@code j} of S is multiplied by factor {@code j}. */
    PER_VALUE
  }

  /** What a token writes. */
  enum Write {
    /** Its value. */
    ADD,
    /** β times the part of its value that the memory does not hold yet: the delta rule. */
    DELTA,
    /**
     * β times what its value differs by from what the memory, as the token before left it, gave for
     * a key of its own: state feedback, as in Comba.
     */
    FEEDBACK,
    /**
     * Its value, in place of what the memory, as the token before left it, gave for a key of its
     * own: that is taken away under another key. The generalised delta rule of RWKV-7.
     */
    ERASE;

    /** Whether something is read of the memory with a key of its own, before it decays. */
    boolean seeks() {
      return this == FEEDBACK || this == ERASE;
    }

    /** Whether what is written is scaled by β. */
    public boolean scaled() {
      return this == DELTA || this == FEEDBACK;
    }
  }

  /** When a token's query reads. */
  enum Read {
    /** When the token has been written. */
    AFTER,
    /** Before the memory decays; what the token writes is then weighed by a bonus of each key. */
    BEFORE
  }

  /** The traits of a rule and the shape of its memory. */
  record Shape(int keyDim, int valueDim, Decay decay, Write write, Read read) {

    /** A rule that reads what it has written. */
    public Shape(int keyDim, int valueDim, Decay decay, Write write) {
      this(keyDim, valueDim, decay, write, Read.AFTER);
    }
  }

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
   * What a head's tokens bring; null for what the shape's traits have no use for.
   *
   * @param q {@code keyDim} values a token; likewise {@code k}; {@code v} has {@code valueDim}
   * @param decay the factors themselves (not their logarithms): 1 value a token, {@code keyDim}
   *     values, {@code valueDim} values, or null, as the shape's decay says
   * @param beta 1 value a token, or null unless what is written is scaled by it
   * @param p the key that {@link Write#FEEDBACK} and {@link Write#ERASE} read with
   * @param e the key that {@link Write#ERASE} takes away under
   * @param b the bonus of each key where {@link Read#BEFORE} is meant; with a stride of 0 the same
   *     for all tokens
   */
  record Inputs(Rows q, Rows k, Rows v, Rows decay, Rows beta, Rows p, Rows e, Rows b) {

    public Inputs(Rows q, Rows k, Rows v, Rows decay, Rows beta) {
      this(q, k, v, decay, beta, null, null, null);
    }

    /** The same with keys to read and to take away under. */
    public Inputs erasing(Rows p, Rows e) {
      return new Inputs(q, k, v, decay, beta, p, e, b);
    }

    /** The same with a bonus for each key. */
    public Inputs bonus(Rows b) {
      return new Inputs(q, k, v, decay, beta, p, e, b);
    }
  }

  /**
   * Takes one head's memory through {@code tokens} tokens.
   *
   * @param state native; row-major {@code keyDim × valueDim} floats from byte {@code stateAt}
   * @param o receives {@code valueDim} values a token
   * @param scratch at least {@link #scratchFloats} floats that no other thread uses
   */
  void advance(
      Shape shape,
      int tokens,
      Inputs in,
      MemorySegment state,
      long stateAt,
      Rows o,
      float[] scratch);

  /** The same for a rule that reads after it has written, with no keys but {@code k}. */
  default void advance(
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
    advance(shape, tokens, new Inputs(q, k, v, decay, beta), state, stateAt, o, scratch);
  }

  int scratchFloats(Shape shape);
}
