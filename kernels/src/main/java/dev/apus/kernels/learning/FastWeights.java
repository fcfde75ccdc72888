package dev.apus.kernels.learning;

import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;

/**
 * A matrix of a model that learns while it reads: it maps rows, and changes by gradients, each of
 * which is the outer product of a row x that went in and of the gradient g at what came out.
 *
 * <pre>
 *   apply:   y_t = Wᵀ x_t + b
 *   back:    d_t = W g_t
 *   recall:  y_t ← y_t + Σ_{s ≤ t} c_ts (x_s · q_t + 1) g_s
 *   learn:   W ← keep · W + Σ_s c_s x_s ⊗ g_s      b ← keep · b + Σ_s c_s g_s
 *   drift:   W ← keep · W + rate · V
 * </pre>
 *
 * <p>The 1 of recall goes with b: both are there if the shape is biased. Recall gives what rows q
 * would gain by the changes that learn makes, before they are made. So whoever takes all gradients
 * of a few tokens at the same weights changes these weights once, after the last of them.
 *
 * <p>Sums of apply start at b (or 0) and are chains of fused multiply-adds, first input first;
 * those of recall and learn are such chains over s, first token first, in which {@code c · (x · q +
 * 1)} and {@code c · x} are rounded before. Products of two rows have sixteen partial sums, value
 * {@code i} in sum {@code i mod 16}, added as a tree. A token has the same bits whatever tokens
 * share its call.
 */
public interface FastWeights {

  /** Rows of a matrix that {@link #back} takes at a time. */
  int ROWS = 4;

  /**
   * The shape of a matrix, which lies in memory as {@code inputs} rows of {@code outputs} floats,
   * followed by its bias if it has one.
   */
  record Shape(int inputs, int outputs, boolean biased) {

    /** Values of the matrix and its bias. */
    public int floats() {
      return (inputs + (biased ? 1 : 0)) * outputs;
    }
  }

  /**
   * Maps rows; {@code y} must be other memory than {@code x}.
   *
   * @param x {@code inputs} values a token
   * @param y receives {@code outputs} values a token
   */
  void apply(Shape shape, MemorySegment memory, long at, int tokens, Rows x, Rows y);

  /**
   * Takes gradients at the outputs back to the inputs; {@code d} must be other memory than {@code
   * g}.
   *
   * @param g {@code outputs} values a token
   * @param d receives {@code inputs} values a token
   * @param scratch at least {@link #ROWS} {@code · outputs} floats that no other thread uses
   */
  void back(
      Shape shape, MemorySegment memory, long at, int tokens, Rows g, Rows d, float[] scratch);

  /**
   * Adds what rows gain by changes that have not been made.
   *
   * @param before tokens that changed the matrix before the first of {@code q}; q's token {@code t}
   *     sees the changes {@code [0, before + t]}
   * @param c for each token of q a coefficient for each change that it sees
   * @param q {@code inputs} values a token
   * @param x what each change put in, {@code inputs} values
   * @param g the gradient of each change, {@code outputs} values
   * @param y {@code outputs} values a token, which are added to
   */
  void recall(Shape shape, int tokens, int before, Rows c, Rows q, Rows x, Rows g, Rows y);

  /**
   * Makes changes.
   *
   * @param c a coefficient for each token, from {@code cAt}
   */
  void learn(
      Shape shape,
      int tokens,
      float keep,
      float[] c,
      int cAt,
      Rows x,
      Rows g,
      MemorySegment memory,
      long at);

  /** Moves {@code count} floats at {@code at} by those at {@code velocityAt}. */
  void drift(int count, float keep, float rate, MemorySegment memory, long at, long velocityAt);
}
