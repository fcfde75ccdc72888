package dev.apus.core.tokenizer;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A Unicode normalization form in time that a hostile text cannot make quadratic.
 *
 * <p>The JDK puts combining marks in their canonical order by insertion, which takes minutes for a
 * megabyte of marks. Long runs of marks are therefore decomposed and sorted before it sees them;
 * the result is the same, because the sorted text is canonically equivalent to the original.
 */
final class UnicodeForm implements TextNormalizer {

  private static final int LONG_RUN = 128;

  /** The one mark of the highest combining class: every other mark moves before it. */
  private static final String LAST_MARK = "\u0345";

  private final Normalizer.Form form;
  private final Normalizer.Form decomposed;

  UnicodeForm(Normalizer.Form form) {
    this.form = form;
    this.decomposed =
        form == Normalizer.Form.NFC || form == Normalizer.Form.NFD
            ? Normalizer.Form.NFD
            : Normalizer.Form.NFKD;
  }

  @Override
  public String apply(String text) {
    return Normalizer.normalize(withSortedRuns(text), form);
  }

  private String withSortedRuns(String text) {
    StringBuilder sorted = null;
    int done = 0;
    int at = 0;
    while (at < text.length()) {
      int from = at;
      while (at < text.length() && isMark(text.codePointAt(at))) {
        at += Character.charCount(text.codePointAt(at));
      }
      if (at - from > LONG_RUN) {
        sorted = sorted == null ? new StringBuilder() : sorted;
        sorted.append(text, done, from);
        appendSorted(text.substring(from, at), sorted);
        done = at;
      }
      if (at == from) {
        at += Character.charCount(text.codePointAt(at));
      }
    }
    return sorted == null ? text : sorted.append(text, done, text.length()).toString();
  }

  /** Whether a character may have, or decompose to, a combining class other than 0 at its start. */
  private static boolean isMark(int c) {
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK ->
          true;
      default -> c == 0xFF9E || c == 0xFF9F;
    };
  }

  private void appendSorted(String run, StringBuilder out) {
    Map<Integer, int[]> parts = new HashMap<>();
    run.codePoints()
        .forEach(
            c ->
                parts.computeIfAbsent(
                    c,
                    _ ->
                        Normalizer.normalize(Character.toString(c), decomposed)
                            .codePoints()
                            .toArray()));
    Map<Integer, Integer> classes = classes(parts);
    List<Integer> movable = new ArrayList<>();
    run.codePoints()
        .flatMap(c -> Arrays.stream(parts.get(c)))
        .forEach(
            c -> {
              if (classes.containsKey(c)) {
                movable.add(c);
              } else {
                appendByClass(movable, classes, out);
                out.appendCodePoint(c);
              }
            });
    appendByClass(movable, classes, out);
  }

  private static void appendByClass(
      List<Integer> marks, Map<Integer, Integer> classes, StringBuilder out) {
    marks.sort((a, b) -> Integer.compare(classes.get(a), classes.get(b)));
    marks.forEach(out::appendCodePoint);
    marks.clear();
  }

  /** Numbers that order marks as their combining classes do; marks that never move have none. */
  private static Map<Integer, Integer> classes(Map<Integer, int[]> parts) {
    List<Integer> marks = new ArrayList<>();
    parts.values().stream()
        .flatMapToInt(Arrays::stream)
        .distinct()
        .filter(c -> c == LAST_MARK.charAt(0) || swaps(LAST_MARK, Character.toString(c)))
        .forEach(marks::add);
    marks.sort(UnicodeForm::compareClasses);
    Map<Integer, Integer> classes = new HashMap<>();
    int number = 0;
    for (int i = 0; i < marks.size(); i++) {
      if (i > 0 && compareClasses(marks.get(i - 1), marks.get(i)) != 0) {
        number++;
      }
      classes.put(marks.get(i), number);
    }
    return classes;
  }

  private static int compareClasses(int a, int b) {
    String left = Character.toString(a);
    String right = Character.toString(b);
    return swaps(left, right) ? 1 : swaps(right, left) ? -1 : 0;
  }

  private static boolean swaps(String left, String right) {
    return !left.equals(right)
        && Normalizer.normalize(left + right, Normalizer.Form.NFD).equals(right + left);
  }
}
