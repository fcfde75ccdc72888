package dev.apus.attention.softmax;

import java.util.Arrays;

/** The largest of some values, of equal ones those that come first. */
final class Largest {

  private static final int SMALL = 12;

  private Largest() {}

  /** The indices of the {@code most} largest, or of all if there are fewer, ascending. */
  static int[] of(float[] values, int at, int count, int most) {
    int found = Math.clamp(most, 0, count);
    int[] indices = new int[found];
    if (found == 0) {
      return indices;
    }
    long[] ranks = new long[count];
    for (int i = 0; i < count; i++) {
      ranks[i] = rank(values[at + i], i);
    }
    long least = found == count ? Long.MIN_VALUE : select(ranks.clone(), count - found);
    for (int i = 0, next = 0; i < count; i++) {
      if (ranks[i] >= least) {
        indices[next++] = i;
      }
    }
    return indices;
  }

  /** Unlike for any other index; greater for greater values, and for smaller indices. */
  static long rank(float value, int index) {
    int bits = Float.floatToIntBits(value);
    int ordered = bits ^ (bits >> 31 & 0x7fff_ffff);
    return (long) ordered << 32 | 0xffff_ffffL - index;
  }

  /** The index that a rank was made of. */
  static int index(long rank) {
    return (int) (0xffff_ffffL - (rank & 0xffff_ffffL));
  }

  /** The value that would be at an index if all were sorted. */
  private static long select(long[] values, int index) {
    int low = 0;
    int high = values.length - 1;
    while (high - low > SMALL) {
      long pivot = median(values[low], values[(low + high) >>> 1], values[high]);
      int i = low;
      int j = high;
      while (i <= j) {
        while (values[i] < pivot) {
          i++;
        }
        while (values[j] > pivot) {
          j--;
        }
        if (i <= j) {
          long swapped = values[i];
          values[i++] = values[j];
          values[j--] = swapped;
        }
      }
      if (index <= j) {
        high = j;
      } else if (index >= i) {
        low = i;
      } else {
        return values[index];
      }
    }
    Arrays.sort(values, low, high + 1);
    return values[index];
  }

  private static long median(long a, long b, long c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
}
