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

  /** An open hash table of places in the arrays below; half of it stays empty. */
  private final int[] slots;

  /** Both ids of each pair. */
  private final long[] keys;

  private final int[] results;

  /** Null if pairs are ranked, not tokens: then a pair's place is its rank. */
  private final int[] ranks;

  private int size;

  private Merges(int count, boolean listed) {
    slots = new int[Integer.highestOneBit(Math.max(8, count)) * 4];
    Arrays.fill(slots, NONE);
    keys = new long[count];
    results = new int[count];
    ranks = listed ? null : new int[count];
  }

  /**
   * Reads merges.
   *
   * @param parts left and right parts, one pair after the other, the first pair merged first
   * @param prefix how many characters at the start of a right part only say that it goes on
   */
  static Merges of(String name, List<String> parts, Map<String, Integer> ids, int prefix) {
    int count = parts.size() / 2;
    Merges merges = new Merges(count, true);
    for (int rank = 0; rank < count; rank++) {
      String left = parts.get(2 * rank);
      String right = parts.get(2 * rank + 1);
      int leftId = known(name, rank, left, left, right, ids);
      int rightId = known(name, rank, right, left, right, ids);
      int slot = merges.slot(leftId, rightId);
      if (merges.slots[slot] != NONE) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s: merge %d joins %s and %s, as merge %d did",
                name,
                rank,
                Vocabulary.quoted(left),
                Vocabulary.quoted(right),
                merges.slots[slot]));
      }
      String joined = left + right.substring(Math.min(prefix, right.length()));
      merges.put(slot, key(leftId, rightId), known(name, rank, joined, left, right, ids));
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
    Merges merges = new Merges(all.length / 3, false);
    for (int i = 0; i < all.length; i += 3) {
      merges.ranks[merges.size] = rankOf.applyAsInt(all[i + 2]);
      merges.put(merges.slot(all[i], all[i + 1]), key(all[i], all[i + 1]), all[i + 2]);
    }
    return merges;
  }

  private void put(int slot, long key, int result) {
    slots[slot] = size;
    keys[size] = key;
    results[size++] = result;
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
    int space = space(name, parts.size() / 2, merge);
    parts.add(merge.substring(0, space));
    parts.add(merge.substring(space + 1));
  }

  /** Both sides of each of many such merges; they are looked at when they are asked for. */
  static List<String> parts(String name, List<String> merges) {
    return new ListView<>(
        Math.multiplyExact(merges.size(), 2),
        index -> {
          String merge = merges.get(index / 2);
          int space = space(name, index / 2, merge);
          return index % 2 == 0 ? merge.substring(0, space) : merge.substring(space + 1);
        });
  }

  private static int space(String name, int rank, String merge) {
    int space = merge.indexOf(' ');
    if (space <= 0 || space == merge.length() - 1 || merge.indexOf(' ', space + 1) >= 0) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: merge %d is %s; needed: two tokens with one space between them",
              name,
              rank,
              Vocabulary.quoted(merge)));
    }
    return space;
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
      int place = slots[slot(symbols[left], symbols[right])];
      if (place == NONE || !counts((int) (entry >>> 32), place)) {
        continue;
      }
      symbols[left] = results[place];
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
  private boolean counts(int rank, int place) {
    return rank(place) == rank || (ranks == null && results[rank] == results[place]);
  }

  private int rank(int place) {
    return ranks == null ? place : ranks[place];
  }

  private void offer(LongHeap queue, int[] symbols, int left, int right, Offers offers) {
    int place = slots[slot(symbols[left], symbols[right])];
    if (place != NONE) {
      queue.push((long) rank(place) << 32 | left);
      offers.pair(symbols[left], symbols[right], results[place]);
    }
  }

  private int slot(int left, int right) {
    long key = key(left, right);
    long mixed = key * 0x9E3779B97F4A7C15L;
    int slot = (int) (mixed >>> 32) & (slots.length - 1);
    while (slots[slot] != NONE && keys[slots[slot]] != key) {
      slot = (slot + 1) & (slots.length - 1);
    }
    return slot;
  }

  private static long key(int left, int right) {
    return ((long) left << 32) | right;
  }
}
