package dev.apus.diffusion;

import dev.apus.core.model.Diffusion;
import java.util.BitSet;

/**
 * Which rows of a text are computed anew at an evaluation; the keys and values of the others stay
 * as they were computed last. Nothing else goes through the model.
 *
 * <p>In a model whose tokens see the whole text every row changes whenever a token does, so that
 * all caches but {@link None} approximate. In a model that sees text in blocks, the blocks before
 * the one that is filled do not change: {@link Blocks} is exact there, with the bits of {@link
 * None}.
 */
public sealed interface Cache {

  /** Computes everything each time. */
  Cache NONE = new None();

  /** Keeps finished blocks. */
  Cache BLOCKS = new Blocks();

  /**
   * What a cache goes by.
   *
   * @param from the first position of the window that is filled
   * @param to the position after its last
   * @param end of the text, or of the block that the window is in
   * @param evaluation of this window, from 0 on
   * @param stored how many rows at the beginning hold what they will always hold
   * @param noisy positions of the text that are not fixed
   * @param changed positions that the last step has changed
   */
  record View(
      int from, int to, int end, int evaluation, int stored, BitSet noisy, BitSet changed) {}

  /** Whether the logits are those of {@link None}, bit for bit. */
  boolean isExact(Diffusion of);

  /** The rows to compute at the next evaluation. */
  BitSet rows(View v);

  private static BitSet range(int from, int to) {
    BitSet rows = new BitSet();
    rows.set(from, to);
    return rows;
  }

  private static int checked(int refresh) {
    if (refresh < 0) {
      throw new IllegalArgumentException("refresh=" + refresh + "; needed: 0 or more");
    }
    return refresh;
  }

  /** Whether everything is due: at a window's first evaluation, and after so many. */
  private static boolean isDue(int evaluation, int every) {
    return evaluation == 0 || (every > 0 && evaluation % every == 0);
  }

  /** Computes everything each time. */
  record None() implements Cache {
    @Override
    public boolean isExact(Diffusion of) {
      return true;
    }

    @Override
    public BitSet rows(View v) {
      return range(0, v.end());
    }
  }

  /**
   * Keeps what stands before the block: exact where text is seen in blocks, and only there. In
   * models that are told the level of the noise, it is what they made of it at another level.
   */
  record Blocks() implements Cache {
    @Override
    public boolean isExact(Diffusion of) {
      return of.block() > 0 && !of.isTold();
    }

    @Override
    public BitSet rows(View v) {
      return range(v.stored(), v.end());
    }
  }

  /**
   * Keeps what stands before the window from the window's first evaluation on.
   *
   * @param refresh computes everything after so many evaluations of a window; 0 for never
   * @see <a href="https://arxiv.org/abs/2505.22618">Fast-dLLM</a>
   */
  record Prefix(int refresh) implements Cache {

    public Prefix {
      checked(refresh);
    }

    @Override
    public boolean isExact(Diffusion of) {
      return false;
    }

    @Override
    public BitSet rows(View v) {
      return range(isDue(v.evaluation(), refresh) ? v.stored() : v.from(), v.end());
    }
  }

  /**
   * Keeps what stands before the window and behind it, likewise.
   *
   * @param refresh computes everything after so many evaluations of a window; 0 for never
   * @see <a href="https://arxiv.org/abs/2505.22618">Fast-dLLM</a>
   */
  record Dual(int refresh) implements Cache {

    public Dual {
      checked(refresh);
    }

    @Override
    public boolean isExact(Diffusion of) {
      return false;
    }

    @Override
    public BitSet rows(View v) {
      return isDue(v.evaluation(), refresh) ? range(v.stored(), v.end()) : range(v.from(), v.to());
    }
  }

  /**
   * Keeps the rows of tokens one step after they have been fixed, because they change most when
   * they are; rows of noisy positions are computed each time.
   *
   * @param refresh computes everything after so many evaluations of a window; 0 for never
   * @see <a href="https://arxiv.org/abs/2505.15781">dKV-Cache</a>
   */
  record Delayed(int refresh) implements Cache {

    public Delayed {
      checked(refresh);
    }

    @Override
    public boolean isExact(Diffusion of) {
      return false;
    }

    @Override
    public BitSet rows(View v) {
      if (isDue(v.evaluation(), refresh)) {
        return range(v.stored(), v.end());
      }
      BitSet rows = (BitSet) v.noisy().clone();
      rows.or(v.changed());
      rows.clear(v.end(), Math.max(v.end(), rows.length()));
      return rows;
    }
  }
}
