package dev.apus.core.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The pairs that byte-pair encoding joins: for two ids the rank of their merge and its result. */
final class Merges {

  static final int NONE = -1;

  /** An open hash table from both ids of a pair to the rank; half of it stays empty. */
  private final long[] keys;

  private final int[] ranks;
  private final int[] results;

  private Merges(int count) {
    int capacity = Integer.highestOneBit(Math.max(8, count)) * 4;
    keys = new long[capacity];
    ranks = new int[capacity];
    Arrays.fill(ranks, NONE);
    results = new int[count];
  }

  /**
   * Reads merges.
   *
   * @param parts left and right parts, one pair after the other, the first pair merged first
   */
  static Merges of(String name, List<String> parts, Map<String, Integer> ids) {
    Merges merges = new Merges(parts.size() / 2);
    for (int rank = 0; rank < merges.results.length; rank++) {
      String left = parts.get(2 * rank);
      String right = parts.get(2 * rank + 1);
      int slot =
          merges.slot(
              known(name, rank, left, left, right, ids),
              known(name, rank, right, left, right, ids));
      if (merges.ranks[slot] != NONE) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s: merge %d joins %s and %s, as merge %d did",
                name,
                rank,
                Vocabulary.quoted(left),
                Vocabulary.quoted(right),
                merges.ranks[slot]));
      }
      merges.keys[slot] = key(ids.get(left), ids.get(right));
      merges.ranks[slot] = rank;
      merges.results[rank] = known(name, rank, left + right, left, right, ids);
    }
    return merges;
  }

  private static int known(
      String name, int rank, String token, String left, String right, Map<String, Integer> ids) {
    Integer id = ids.get(token);
    if (id == null) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: merge %d joins %s and %s, but the vocabulary has no %s",
              name,
              rank,
              Vocabulary.quoted(left),
              Vocabulary.quoted(right),
              Vocabulary.quoted(token)));
    }
    return id;
  }

  /** Adds both sides of a merge that is written as one text with a space between them. */
  static void addPair(String name, List<String> parts, String merge) {
    int space = merge.indexOf(' ');
    if (space <= 0 || space == merge.length() - 1 || merge.indexOf(' ', space + 1) >= 0) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: merge %d is %s; needed: two tokens with one space between them",
              name,
              parts.size() / 2,
              Vocabulary.quoted(merge)));
    }
    parts.add(merge.substring(0, space));
    parts.add(merge.substring(space + 1));
  }

  /** The rank of the merge of two ids, or {@link #NONE}. */
  int rank(int left, int right) {
    return ranks[slot(left, right)];
  }

  int result(int rank) {
    return results[rank];
  }

  private int slot(int left, int right) {
    long key = key(left, right);
    long mixed = key * 0x9E3779B97F4A7C15L;
    int slot = (int) (mixed >>> 32) & (keys.length - 1);
    while (ranks[slot] != NONE && keys[slot] != key) {
      slot = (slot + 1) & (keys.length - 1);
    }
    return slot;
  }

  private static long key(int left, int right) {
    return ((long) left << 32) | right;
  }
}
