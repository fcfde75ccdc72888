package dev.apus.core.generate;

/**
 * The tokens with the largest logits, best first, the lower id first among equals. Banned tokens
 * are never among them.
 *
 * <p>While selecting, {@code ids} is a heap with the worst kept token at its root, so most of a
 * vocabulary costs one comparison a token.
 */
final class TopTokens {

  private int[] ids = new int[0];
  private int count;

  /** Selects at most {@code most} tokens and returns how many there are. */
  int select(float[] logits, int vocabulary, int most) {
    int capacity = Math.min(most, vocabulary);
    if (ids.length < capacity) {
      ids = new int[capacity];
    }
    count = 0;
    for (int id = 0; id < vocabulary; id++) {
      if (logits[id] == Float.NEGATIVE_INFINITY) {
        continue;
      }
      if (count < capacity) {
        rise(logits, id);
      } else if (capacity > 0 && logits[id] > logits[ids[0]]) {
        // An equal logit of a higher id never replaces: ids come in ascending order.
        sink(logits, id, count);
      }
    }
    sort(logits);
    return count;
  }

  int id(int rank) {
    return ids[rank];
  }

  private static boolean worse(float[] logits, int a, int b) {
    return logits[a] < logits[b] || (logits[a] == logits[b] && a > b);
  }

  /** Adds {@code id} as a leaf and lets it rise. */
  private void rise(float[] logits, int id) {
    int at = count++;
    while (at > 0) {
      int parent = (at - 1) >>> 1;
      if (!worse(logits, id, ids[parent])) {
        break;
      }
      ids[at] = ids[parent];
      at = parent;
    }
    ids[at] = id;
  }

  /** Puts {@code id} in the root's place and lets it sink within the first {@code size} places. */
  private void sink(float[] logits, int id, int size) {
    int at = 0;
    while (true) {
      int child = 2 * at + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size && worse(logits, ids[child + 1], ids[child])) {
        child++;
      }
      if (!worse(logits, ids[child], id)) {
        break;
      }
      ids[at] = ids[child];
      at = child;
    }
    ids[at] = id;
  }

  /** Takes the worst from the root to the end, again and again. */
  private void sort(float[] logits) {
    for (int size = count - 1; size > 0; size--) {
      int worst = ids[0];
      sink(logits, ids[size], size);
      ids[size] = worst;
    }
  }
}
