package dev.apus.diffusion;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Positions {@code [from, to)} that are filled together.
 *
 * @param steps how many steps that is to take
 */
record Window(int from, int to, int steps) {

  /**
   * The windows of a text that have noisy positions, from left to right.
   *
   * @param block tokens of the model's blocks, or 0
   * @param canvases whether these begin where the noise does, and not at multiples
   * @throws IllegalArgumentException if windows do not divide the blocks
   */
  static List<Window> of(BitSet noisy, Recipe recipe, int block, boolean canvases) {
    int first = noisy.nextSetBit(0);
    int end = noisy.length();
    int size = recipe.window() > 0 ? recipe.window() : block > 0 ? block : end - first;
    if (block > 0 && (canvases ? size > block : block % size != 0)) {
      throw new IllegalArgumentException(
          "window="
              + size
              + (canvases
                  ? "; needed: at most the model's canvas of "
                  : "; needed: a divisor of the model's blocks of ")
              + block);
    }
    int all = noisy.cardinality();
    long steps = recipe.steps();
    List<Window> windows = new ArrayList<>();
    int before = 0;
    int from = block > 0 && !canvases ? first / size * size : first;
    while (from < end) {
      int to = (int) Math.min(end, (long) from + size);
      int within = noisy.get(from, to).cardinality();
      if (within > 0) {
        long share = steps * (before + within) / all - steps * before / all;
        int own = steps == 0 ? recipe.rule().steps(within) : (int) Math.max(1, share);
        windows.add(new Window(from, to, own));
        before += within;
      }
      int next = noisy.nextSetBit(to);
      from = canvases && next >= 0 ? next : from + size;
    }
    return windows;
  }
}
