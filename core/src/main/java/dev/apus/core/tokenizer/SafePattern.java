package dev.apus.core.tokenizer;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A regular expression from a file that can neither overflow the stack nor run for ever.
 *
 * <p>Overflow is ruled out by {@link PatternTranslator}, which repeats single characters only; time
 * by a budget of characters looked at, linear in the length of the text.
 */
final class SafePattern {

  /** Takes the matches from left to right. */
  interface Matches {
    void match(int from, int to);
  }

  /** The known patterns look at a character about ten times; each part of a pattern may look. */
  private static final long LOOKS_PER_CHARACTER = 500;

  private final String where;
  private final String source;
  private final Pattern pattern;

  private SafePattern(String where, String source, Pattern pattern) {
    this.where = where;
    this.source = source;
    this.pattern = pattern;
  }

  /** Translates a pattern; {@code where} says where it stands, for errors. */
  static SafePattern of(String where, String source) {
    return new SafePattern(where, source, PatternTranslator.translate(where, source));
  }

  /** Reads {@code {"Regex": …}} or {@code {"String": …}}. */
  static SafePattern read(Section section) {
    section.only("Regex", "String");
    if (section.has("Regex")) {
      return of(section.where("Regex"), section.text("Regex"));
    }
    return literal(section.where("String"), section.text("String"));
  }

  /** A pattern that matches one text. */
  static SafePattern literal(String where, String literal) {
    if (literal.isEmpty()) {
      throw new TokenizerException(where + " is \"\"; needed: at least one character");
    }
    return new SafePattern(where, literal, Pattern.compile(Pattern.quote(literal)));
  }

  /** Runs of Unicode's word characters, or of what is neither these nor white space. */
  static SafePattern wordsAndMarks() {
    String word = "\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}";
    String pattern = "[" + word + "]+|[^" + word + "\\p{IsWhite_Space}]+";
    return new SafePattern("Whitespace", pattern, Pattern.compile(pattern));
  }

  void find(String text, Matches matches) {
    Metered metered =
        new Metered(text, (LOOKS_PER_CHARACTER + source.length()) * (text.length() + 1L));
    Matcher matcher = pattern.matcher(metered);
    try {
      while (matcher.find()) {
        matches.match(matcher.start(), matcher.end());
      }
    } catch (OverBudgetException | StackOverflowError e) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: the pattern %s is too slow on a text of %d characters",
              where,
              Vocabulary.quoted(source),
              text.length()),
          e);
    }
  }

  String replace(String text, String replacement) {
    StringBuilder replaced = new StringBuilder();
    int[] done = {0};
    find(
        text,
        (from, to) -> {
          replaced.append(text, done[0], from).append(replacement);
          done[0] = to;
        });
    return replaced.append(text, done[0], text.length()).toString();
  }

  /** A text that counts how often it is looked at. */
  private static final class Metered implements CharSequence {

    private final String text;
    private long budget;

    Metered(String text, long budget) {
      this.text = text;
      this.budget = budget;
    }

    @Override
    public char charAt(int index) {
      if (--budget < 0) {
        throw new OverBudgetException();
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.subSequence(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  private static final class OverBudgetException extends RuntimeException {

    private static final long serialVersionUID = 1;

    OverBudgetException() {
      super("the budget of looks is spent");
    }
  }
}
