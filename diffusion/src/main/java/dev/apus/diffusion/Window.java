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
   * @throws IllegalArgumentException if windows do not divide the blocks
   */
  static List<Window> of(BitSet noisy, Recipe recipe, int block) {
    int first = noisy.nextSetBit(0);
    int end = noisy.length();
    int size = recipe.window() > 0 ? recipe.window() : block > 0 ? block : end - first;
    if (block > 0 && block % size != 0) {
      throw new IllegalArgumentException(
          "window=" + size + "; needed: a divisor of the model's blocks of " + block);
    }
    int all = noisy.cardinality();
    long steps = recipe.steps() == 0 ? all : recipe.steps();
    List<Window> windows = new ArrayList<>();
    int before = 0;
    for (int from = block > 0 ? first / size * size : first; from < end; from += size) {
      int to = (int) Math.min(end, (long) from + size);
      int within = noisy.get(from, to).cardinality();
      if (within > 0) {
        long share = steps * (before + within) / all - steps * before / all;
        windows.add(new Window(from, to, (int) Math.max(1, share)));
        before += within;
      }
    }
    return windows;
  }
}
