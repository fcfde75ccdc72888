package dev.apus.core.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/**
 * The pairs that byte-pair encoding joins: for two ids the rank of their merge and its result.
 *
 * <p>Files that list merges give every pair a rank of its own. Those of SentencePiece and tiktoken
 * rank the tokens instead: any two symbols that spell a token are joined, and equal ranks go from
 * left to right.
 */
final class Merges {

  static final int NONE = -1;

  /** An open hash table from both ids of a pair to the rank; half of it stays empty. */
  private final long[] keys;

  private final int[] ranks;
  private final int[] results;

  /** The result of each rank that one pair alone has; empty if tokens are ranked, not pairs. */
  private final int[] resultOfRank;

  private Merges(int count, int listed) {
    int capacity = Integer.highestOneBit(Math.max(8, count)) * 4;
    keys = new long[capacity];
    ranks = new int[capacity];
    Arrays.fill(ranks, NONE);
    results = new int[capacity];
    resultOfRank = new int[listed];
  }

  /**
   * Reads merges.
   *
   * @param parts left and right parts, one pair after the other, the first pair merged first
   * @param prefix how many characters at the start of a right part only say that it goes on
   */
  static Merges of(String name, List<String> parts, Map<String, Integer> ids, int prefix) {
    int count = parts.size() / 2;
    Merges merges = new Merges(count, count);
    for (int rank = 0; rank < count; rank++) {
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
      String joined = left + right.substring(Math.min(prefix, right.length()));
      int result = known(name, rank, joined, left, right, ids);
      merges.put(slot, key(ids.get(left), ids.get(right)), rank, result);
      merges.resultOfRank[rank] = result;
    }
    return merges;
  }

  /**
   * Finds every pair of symbols that spells a token.
   *
   * @param symbols the ids of what may stand in a text before or during joining
   * @param tokens the ids of what joining may give
   * @param rankOf the rank of a token, the smallest joined first
   */
  static Merges spelling(
      Map<String, Integer> symbols, Map<String, Integer> tokens, IntUnaryOperator rankOf) {
    Ids pairs = new Ids();
    tokens.forEach(
        (text, id) -> {
          for (int at = 1; at < text.length(); at++) {
            Integer left = symbols.get(text.substring(0, at));
            Integer right = left == null ? null : symbols.get(text.substring(at));
            if (right != null) {
              pairs.add(new int[] {left, right, id});
            }
          }
        });
    int[] all = pairs.toArray();
    Merges merges = new Merges(all.length / 3, 0);
    for (int i = 0; i < all.length; i += 3) {
      int slot = merges.slot(all[i], all[i + 1]);
      merges.put(slot, key(all[i], all[i + 1]), rankOf.applyAsInt(all[i + 2]), all[i + 2]);
    }
    return merges;
  }

  private void put(int slot, long key, int rank, int result) {
    keys[slot] = key;
    ranks[slot] = rank;
    results[slot] = result;
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

  /** Hears of every pair that might be joined. */
  interface Offers {
    void pair(int left, int right, int result);
  }

  int[] join(int[] symbols, Ids meter) {
    return join(symbols, meter, (_, _, _) -> {});
  }

  /**
   * The symbols after all merges, in O(n log n): a linked list of symbols and a queue of (rank,
   * position) in which entries go stale instead of being removed. The symbols given are lost.
   */
  int[] join(int[] symbols, Ids meter, Offers offers) {
    int count = symbols.length;
    if (count < 2) {
      return symbols;
    }
    int[] next = new int[count];
    int[] previous = new int[count];
    LongHeap queue = new LongHeap(count);
    for (int i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    for (int i = 0; i + 1 < count; i++) {
      offer(queue, symbols, i, i + 1, offers);
    }
    while (!queue.isEmpty()) {
      long entry = queue.pop();
      meter.worked(1);
      int left = (int) entry;
      int right = next[left];
      if (symbols[left] == NONE || right == count) {
        continue;
      }
      int slot = slot(symbols[left], symbols[right]);
      if (ranks[slot] == NONE || !counts((int) (entry >>> 32), slot)) {
        continue;
      }
      symbols[left] = results[slot];
      symbols[right] = NONE;
      next[left] = next[right];
      if (next[left] < count) {
        previous[next[left]] = left;
        offer(queue, symbols, left, next[left], offers);
      }
      if (previous[left] >= 0) {
        offer(queue, symbols, previous[left], left, offers);
      }
    }
    meter.worked(count);
    return Arrays.stream(symbols).filter(id -> id != NONE).toArray();
  }

  /**
   * Whether an entry of the queue still stands for the pair at its place. One whose pair has
   * changed does if the new pair gives the same token: so does the reference, and ids must agree.
   */
  private boolean counts(int rank, int slot) {
    return ranks[slot] == rank || (resultOfRank.length > 0 && resultOfRank[rank] == results[slot]);
  }

  private void offer(LongHeap queue, int[] symbols, int left, int right, Offers offers) {
    int slot = slot(symbols[left], symbols[right]);
    if (ranks[slot] != NONE) {
      queue.push((long) ranks[slot] << 32 | left);
      offers.pair(symbols[left], symbols[right], results[slot]);
    }
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
