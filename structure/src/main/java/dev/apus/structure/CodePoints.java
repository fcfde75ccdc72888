package dev.apus.structure;

import java.util.Arrays;
import java.util.function.IntPredicate;

/** A set of Unicode's characters; halves of surrogate pairs are none. Immutable. */
final class CodePoints {

  private static final int LAST = Character.MAX_CODE_POINT;

  static final CodePoints NONE = new CodePoints(new int[0]);
  static final CodePoints ALL =
      new CodePoints(new int[] {0, Character.MIN_SURROGATE - 1, Character.MAX_SURROGATE + 1, LAST});

  /** First and last of each run, in order; runs do not touch. */
  private final int[] runs;

  private CodePoints opposite;

  private CodePoints(int[] runs) {
    this.runs = runs;
  }

  /** From {@code first} to {@code last}, both included. */
  static CodePoints range(int first, int last) {
    return new CodePoints(new int[] {first, last}).and(ALL);
  }

  static CodePoints of(int... characters) {
    CodePoints all = NONE;
    for (int character : characters) {
      all = all.or(range(character, character));
    }
    return all;
  }

  static CodePoints where(IntPredicate holds) {
    int[] runs = new int[64];
    int length = 0;
    int first = -1;
    for (int c = 0; c <= LAST + 1; c++) {
      boolean in = c <= LAST && holds.test(c);
      if (in && first < 0) {
        first = c;
      } else if (!in && first >= 0) {
        if (length == runs.length) {
          runs = Arrays.copyOf(runs, 2 * length);
        }
        runs[length++] = first;
        runs[length++] = c - 1;
        first = -1;
      }
    }
    return new CodePoints(Arrays.copyOf(runs, length)).and(ALL);
  }

  boolean isEmpty() {
    return runs.length == 0;
  }

  boolean contains(int c) {
    return intersects(c, c);
  }

  boolean containsAll(String text) {
    return text.codePoints().allMatch(this::contains);
  }

  /** Whether any character from {@code first} to {@code last} is in the set. */
  boolean intersects(int first, int last) {
    int from = 0;
    int to = runs.length / 2;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (runs[2 * middle + 1] < first) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from < runs.length / 2 && runs[2 * from] <= last;
  }

  /** Whether all characters from {@code first} to {@code last} are in the set. */
  boolean covers(int first, int last) {
    return last <= LAST && !not().intersects(first, last);
  }

  CodePoints or(CodePoints other) {
    return not().and(other.not()).not();
  }

  CodePoints minus(CodePoints other) {
    return and(other.not());
  }

  /** All characters that are not in the set. */
  CodePoints complement() {
    return ALL.minus(this);
  }

  CodePoints and(CodePoints other) {
    int[] both = new int[runs.length + other.runs.length];
    int length = 0;
    for (int i = 0, j = 0; i < runs.length && j < other.runs.length; ) {
      int first = Math.max(runs[i], other.runs[j]);
      int last = Math.min(runs[i + 1], other.runs[j + 1]);
      if (first <= last) {
        both[length++] = first;
        both[length++] = last;
      }
      if (runs[i + 1] < other.runs[j + 1]) {
        i += 2;
      } else {
        j += 2;
      }
    }
    return new CodePoints(Arrays.copyOf(both, length));
  }

  /** The complement among all numbers of characters, surrogates included. */
  private CodePoints not() {
    if (opposite == null) {
      opposite = new CodePoints(gaps());
    }
    return opposite;
  }

  private int[] gaps() {
    int[] gaps = new int[runs.length + 2];
    int length = 0;
    int from = 0;
    for (int i = 0; i < runs.length; i += 2) {
      if (from < runs[i]) {
        gaps[length++] = from;
        gaps[length++] = runs[i] - 1;
      }
      from = runs[i + 1] + 1;
    }
    if (from <= LAST) {
      gaps[length++] = from;
      gaps[length++] = LAST;
    }
    return Arrays.copyOf(gaps, length);
  }

  /** The runs, first and last of each. */
  int[] runs() {
    return runs.clone();
  }
}
