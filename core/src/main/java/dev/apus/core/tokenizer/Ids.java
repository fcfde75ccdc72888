package dev.apus.core.tokenizer;

import java.util.Arrays;

/** A growing list of ids, and how many steps it took to find them. */
final class Ids {

  private int[] ids = new int[16];
  private int size;
  private long steps;

  void add(int id) {
    if (size == ids.length) {
      ids = Arrays.copyOf(ids, Math.multiplyExact(size, 2));
    }
    ids[size++] = id;
  }

  void add(int[] more) {
    for (int id : more) {
      add(id);
    }
  }

  /** Counts work that grows with the text: tests hold it to a multiple of the text's length. */
  void worked(long more) {
    steps += more;
  }

  long steps() {
    return steps;
  }

  int size() {
    return size;
  }

  int[] toArray() {
    return from(0);
  }

  int[] from(int at) {
    return Arrays.copyOfRange(ids, at, size);
  }
}
