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

  /** What the last evaluations have left. */
  record View(
      int from, int to, int end, int sinceRefresh, int stored, BitSet noisy, BitSet changed) {}

  /** Whether the logits are those of {@link None}, bit for bit. */
  boolean isExact(Diffusion of);

  /**
   * The rows to compute.
   *
   * @param v the window {@code [from, to)} that is filled; the text's {@code end}, or that of the
   *     block; how many evaluations ago everything was computed, 0 if it is to be now; how many
   *     rows at the beginning hold what they will always hold; which positions are noisy, and which
   *     were changed by the last step
   */
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

  /**
   * Whether everything is due to be computed: at a window's first evaluation, and after so many.
   */
  default boolean isDue(int sinceRefresh, int every) {
    return sinceRefresh == 0 || (every > 0 && sinceRefresh % every == 0);
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

  /** Keeps what stands before the block: exact where text is seen in blocks, and only there. */
  record Blocks() implements Cache {
    @Override
    public boolean isExact(Diffusion of) {
      return of.block() > 0;
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
      return range(isDue(v.sinceRefresh(), refresh) ? v.stored() : v.from(), v.end());
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
      return isDue(v.sinceRefresh(), refresh)
          ? range(v.stored(), v.end())
          : range(v.from(), v.to());
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
      if (isDue(v.sinceRefresh(), refresh)) {
        return range(v.stored(), v.end());
      }
      BitSet rows = (BitSet) v.noisy().clone();
      rows.or(v.changed());
      rows.clear(v.end(), Math.max(v.end(), rows.length()));
      return rows;
    }
  }
}
