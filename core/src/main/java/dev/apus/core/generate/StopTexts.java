package dev.apus.core.generate;

import java.util.List;

/**
 * Lets text through up to the first stop text that is complete, however the text is cut.
 *
 * <p>Held back is exactly the longest end of the text so far that a stop text begins with. One
 * automaton of Knuth, Morris and Pratt for each stop text knows how long that end is.
 */
final class StopTexts {

  private final Matcher[] matchers;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  StopTexts(List<String> texts) {
    matchers = texts.stream().map(Matcher::new).toArray(Matcher[]::new);
  }

  /** The text that is certain after {@code text} has come too. */
  String append(String text) {
    if (matchers.length == 0) {
      return text;
    }
    if (found) {
      return "";
    }
    for (int i = 0; i < text.length(); i++) {
      held.append(text.charAt(i));
      int complete = advance(text.charAt(i));
      if (complete > 0) {
        found = true;
        held.setLength(held.length() - complete);
        return flush();
      }
    }
    return release(held.length() - begun());
  }

  /** Moves every automaton on; returns the length of the longest stop text now complete, or 0. */
  private int advance(char c) {
    int complete = 0;
    for (Matcher matcher : matchers) {
      matcher.advance(c);
      complete = Math.max(complete, matcher.isComplete() ? matcher.matched : 0);
    }
    return complete;
  }

  /** How much of the end of the text may be the beginning of a stop text. */
  private int begun() {
    int begun = 0;
    for (Matcher matcher : matchers) {
      begun = Math.max(begun, matcher.matched);
    }
    return begun;
  }

  /** Whether a stop text was complete; what comes after it is swallowed. */
  boolean found() {
    return found;
  }

  /** The text held back, when no more will come. */
  String flush() {
    return release(held.length());
  }

  private String release(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }

  /** How far the end of a text agrees with the beginning of a stop text. */
  private static final class Matcher {

    private final String pattern;

    /** Of each beginning, its longest proper end that is a beginning too. */
    private final int[] shorter;

    private int matched;

    Matcher(String pattern) {
      this.pattern = pattern;
      shorter = new int[pattern.length() + 1];
      for (int length = 2; length <= pattern.length(); length++) {
        shorter[length] = next(shorter[length - 1], pattern.charAt(length - 1));
      }
    }

    void advance(char c) {
      matched = next(matched, c);
    }

    boolean isComplete() {
      return matched == pattern.length();
    }

    private int next(int from, char c) {
      int length = from;
      while (length > 0 && pattern.charAt(length) != c) {
        length = shorter[length];
      }
      return pattern.charAt(length) == c ? length + 1 : 0;
    }
  }
}
