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
 * <p>The matrix is written by chunks of four writes, when a token comes for which there is no room
 * in the chunk any more. Until then, tokens are kept beside it: with P(s, t) the decay between two
 * tokens, and S₀ the memory before the chunk's first token,
 *
 * <pre>
 *   u_t = v_t  or  β_t · (v_t − (S₀ᵀ (P(t) ⊙ k_t) + Σ_{s &lt; t} (k_t · (P(s, t) ⊙ k_s)) u_s))
 *   o_t = S₀ᵀ (P(t) ⊙ q_t) + Σ_{s ≤ t} (q_t · (P(s, t) ⊙ k_s)) u_s
 *   S₄ = P(4) ⊙ S₀ + Σ_s (P(s, 4) ⊙ k_s) ⊗ u_s
 * </pre>
 *
 * <p>Decays of one factor are multiplied with each other first and then with what was read of S₀,
 * with the product of two keys, or when the chunk is written, with u. Whatever is read of the
 * memory as the token before has left it has P(t − 1) in place of P(t). A decay of each value
 * multiplies the columns of what is read and the u_s instead of keys. A token that also erases
 * writes twice, {@code e ⊗ (−h)} and {@code k ⊗ v}, and a chunk has two such tokens: in all of them
 * the matrix is written four times. Reads are chains of fused multiply-adds over the keys, first
 * key first; a cell is decayed and then written to by one fused multiply-add a write.
 *
 * <p>A token's chunk follows from its number. So however a sequence is cut into runs, its bits are
 * the same; a single token reads the matrix once and, three times of four, leaves it as it was; and
 * who goes back to a token whose chunk has not been written, or has just been, need not have copied
 * it: what {@link #held} says is not more than the tokens that he goes back to.
 *
 * <p>For keys and queries no longer than 1, decays and b in [−1, 1] and β in [0, 2] a token's step
 * makes no error larger where it adds or writes by the delta rule, so that after T tokens the
 * memory is within {@code T · (keyDim + 4) · 2⁻²³ · r} of the exact result, where r is the greatest
 * length that a column of the memory had, plus the greatest value. Where a memory is read with keys
 * p of their own, errors grow as the memory itself does: this is to be multiplied by the greatest
 * factor by which the tokens' steps, {@code diag(D) − β k ⊗ p} or {@code diag(D) − e ⊗ p}, stretch
 * any vector.
 */
public interface MatrixMemory {

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
   * @param state native; {@link #floats} values from byte {@code stateAt}, zeros for a memory that
   *     has seen nothing
   * @param seen how many tokens it has seen before
   * @param o receives {@code valueDim} values a token; may be the rows of the values
   * @param scratch at least {@link #scratchFloats} floats that no other thread uses
   */
  void advance(
      Shape shape,
      int tokens,
      Inputs in,
      MemorySegment state,
      long stateAt,
      int seen,
      Rows o,
      float[] scratch);

  int scratchFloats(Shape shape);

  /** Values that a memory's state has: the matrix and a chunk of tokens. */
  static long floats(Shape shape) {
    return Pending.floats(shape);
  }

  /**
   * How many tokens will be in the matrix itself when more of them have been taken: a place in the
   * sequence before that is lost, unless the state is copied, and any other is not.
   *
   * @param tokens how many are to come
   */
  static int held(Shape shape, int tokens, MemorySegment state, long stateAt, int seen) {
    int held = new Pending(shape, state, stateAt).held();
    int more = Math.max(0, seen + tokens - held - 1);
    return held + more - more % Chunk.tokens(shape);
  }

  /**
   * A matrix alone, which is written to at once: {@code S ← decay · S + k ⊗ v}.
   *
   * @param state native; row-major {@code keyDim × valueDim} floats from byte {@code stateAt}
   */
  void write(
      Shape shape,
      float decay,
      float[] k,
      int kAt,
      float[] v,
      int vAt,
      MemorySegment state,
      long stateAt);
}
