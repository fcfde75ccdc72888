package dev.apus.attention.softmax;

import java.util.Arrays;

/**
 * The slots with the greatest scores. Of equal scores, the lower slots have precedence; what is not
 * a number counts as greater than all numbers, so that it is not hidden.
 */
final class TopSlots {

  /** A score's bits are looked at in three parts, the highest first. */
  private static final int PART_BITS = 11;

  /** So few are kept in order as scores come, which needs no counts. */
  private static final int FEW = 16;

  private TopSlots() {}

  /**
   * The {@code most} slots of the greatest scores, or all if there are fewer, in ascending order.
   *
   * @param at of the score of slot 0
   * @param count how many slots there are
   */
  static int[] of(float[] scores, int at, int count, int most) {
    int top = Math.clamp(most, 0, count);
    return top <= FEW ? few(scores, at, count, top) : many(scores, at, count, top);
  }

  /** Keeps the greatest so far in order, of equal ones the first. */
  private static int[] few(float[] scores, int at, int count, int top) {
    int[] slots = new int[top];
    int[] keys = new int[top];
    int found = 0;
    for (int i = 0; i < count && top > 0; i++) {
      int key = key(scores[at + i]);
      if (found == top && Integer.compareUnsigned(key, keys[top - 1]) <= 0) {
        continue;
      }
      int to = found < top ? found++ : top - 1;
      for (; to > 0 && Integer.compareUnsigned(key, keys[to - 1]) > 0; to--) {
        keys[to] = keys[to - 1];
        slots[to] = slots[to - 1];
      }
      keys[to] = key;
      slots[to] = i;
    }
    Arrays.sort(slots);
    return slots;
  }

  /** Counts the parts of keys to find the least key that is taken. */
  private static int[] many(float[] scores, int at, int count, int top) {
    int[] keys = new int[count];
    for (int i = 0; i < count; i++) {
      keys[i] = key(scores[at + i]);
    }
    int[] counts = new int[1 << PART_BITS];
    int least = 0;
    int wanted = top;
    for (int end = Integer.SIZE, bit; end > 0; end = bit) {
      bit = Math.max(0, end - PART_BITS);
      int part = (1 << end - bit) - 1;
      if (end < Integer.SIZE) {
        Arrays.fill(counts, 0);
        for (int i = 0; i < count; i++) {
          if (keys[i] >>> end == least >>> end) {
            counts[keys[i] >>> bit & part]++;
          }
        }
      } else {
        for (int i = 0; i < count; i++) {
          counts[keys[i] >>> bit]++;
        }
      }
      while (counts[part] < wanted) {
        wanted -= counts[part--];
      }
      least |= part << bit;
    }
    return collect(keys, least, wanted, new int[top]);
  }

  /** All slots of greater keys, and the first {@code equal} slots of this key. */
  private static int[] collect(int[] keys, int least, int equal, int[] slots) {
    int found = 0;
    for (int i = 0; i < keys.length && found < slots.length; i++) {
      int order = Integer.compareUnsigned(keys[i], least);
      if (order > 0 || order == 0 && equal-- > 0) {
        slots[found++] = i;
      }
    }
    return slots;
  }

  /** Bits that are in order as unsigned numbers; those of both zeros are the same. */
  private static int key(float score) {
    int bits = Float.floatToIntBits(score + 0f);
    return bits ^ (bits >> 31 | Integer.MIN_VALUE);
  }
}
