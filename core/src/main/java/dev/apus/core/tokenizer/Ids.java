package dev.apus.core.tokenizer;

import java.util.Arrays;

/** A growing list of ids. */
final class Ids {

  private int[] ids = new int[16];
  private int size;

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
