package dev.apus.core.tokenizer;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Pieces of a vocabulary in order, to find all that begin at a place of a text. */
final class SortedPieces {

  /** Takes the pieces that begin at a place, the shortest first. */
  interface Found {
    void piece(int index, int end);
  }

  private final String[] texts;

  private SortedPieces(String[] texts) {
    this.texts = texts;
  }

  /** Sorts the pieces; {@code order} receives the place in the original list of each. */
  static SortedPieces of(List<String> pieces, int[] order) {
    Integer[] sorted = new Integer[pieces.size()];
    Arrays.setAll(sorted, i -> i);
    Arrays.sort(sorted, Comparator.comparing(pieces::get));
    String[] texts = new String[sorted.length];
    for (int i = 0; i < sorted.length; i++) {
      order[i] = sorted[i];
      texts[i] = pieces.get(sorted[i]);
    }
    return new SortedPieces(texts);
  }

  /** Finds the pieces that begin at a place, and says how many characters it looked at. */
  int find(String text, int from, Found found) {
    int low = 0;
    int high = texts.length;
    int at = from;
    for (; at < text.length() && low < high; at++) {
      char c = text.charAt(at);
      low = firstNotBelow(low, high, at - from, c);
      high = firstNotBelow(low, high, at - from, c + 1);
      if (low < high && texts[low].length() == at - from + 1) {
        found.piece(low, at + 1);
      }
    }
    return at - from;
  }

  /** The first piece of a range whose character at {@code depth} is not below {@code c}. */
  private int firstNotBelow(int low, int high, int depth, int c) {
    while (low < high) {
      int middle = (low + high) >>> 1;
      String piece = texts[middle];
      if (piece.length() <= depth || piece.charAt(depth) < c) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
