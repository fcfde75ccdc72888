package dev.apus.moe;

import java.util.Arrays;
import java.util.PriorityQueue;

/** The greatest sums of a value of one list and a value of another. */
final class BestSums {

  private record Sum(float value, int x, int y) {}

  private BestSums() {}

  /**
   * The greatest sums, the greatest first; of equal ones that of the lower place in the first list,
   * and then in the second.
   *
   * @param lists {@code n} values, and then n others, from {@code at} on
   * @param sums receives the sums from {@code sumsAt} on
   * @return for each sum {@code n · i + j}, where i is the place of the first value, j of the
   *     second
   */
  static int[] of(float[] lists, int at, int n, int count, float[] sums, int sumsAt) {
    Integer[] xs = sorted(lists, at, n);
    Integer[] ys = sorted(lists, at + n, n);
    PriorityQueue<Sum> next =
        new PriorityQueue<>(
            (a, b) -> {
              int order = Float.compare(b.value, a.value);
              int byFirst = order != 0 ? order : Integer.compare(xs[a.x], xs[b.x]);
              return byFirst != 0 ? byFirst : Integer.compare(ys[a.y], ys[b.y]);
            });
    // Of each first value, the sums with the second values fall: the next of them is enough.
    for (int i = 0; i < Math.min(n, count); i++) {
      next.add(new Sum(lists[at + xs[i]] + lists[at + n + ys[0]], i, 0));
    }
    int[] best = new int[count];
    for (int i = 0; i < count; i++) {
      Sum sum = next.remove();
      best[i] = xs[sum.x] * n + ys[sum.y];
      sums[sumsAt + i] = sum.value;
      if (sum.y + 1 < n) {
        float value = lists[at + xs[sum.x]] + lists[at + n + ys[sum.y + 1]];
        next.add(new Sum(value, sum.x, sum.y + 1));
      }
    }
    return best;
  }

  /** Places by falling value, of equal values the lower first. */
  private static Integer[] sorted(float[] values, int at, int n) {
    Integer[] places = new Integer[n];
    Arrays.setAll(places, i -> i);
    Arrays.sort(places, (a, b) -> Float.compare(values[at + b], values[at + a]));
    return places;
  }
}
