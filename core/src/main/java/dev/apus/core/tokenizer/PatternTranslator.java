package dev.apus.core.tokenizer;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Translates the regular expressions of tokenizer files, which are written for Oniguruma, to Java's
 * syntax, as far as both mean the same.
 *
 * <p>Known are alternatives, groups, {@code (?i:…)} over ASCII letters, look-ahead, character
 * classes with nesting and {@code &&}, general categories and scripts, and all quantifiers. Refused
 * are groups repeated without bound (they can overflow Java's stack), patterns that match the empty
 * text, and everything else.
 */
final class PatternTranslator {

  private static final int DEEPEST = 32;
  private static final int MOST_REPEATS = 100;
  private static final int LONGEST = 10_000;

  private static final Set<String> CATEGORIES =
      Set.of(
          ("L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp"
                  + " C Cc Cf Cn Co Cs")
              .split(" "));

  /** Letters that case folding joins to one character, which Oniguruma does and Java does not. */
  private static final Set<String> FOLDED_PAIRS = Set.of("ss", "st", "ff", "fi", "fl");

  /** A translated part: its text, its shortest match, and whether it is one character. */
  private record Part(String java, int shortest, boolean single) {}

  private final String where;
  private final String source;
  private int at;
  private int depth;
  private int repeats = 1;
  private boolean ignoreCase;

  private PatternTranslator(String where, String source) {
    this.where = where;
    this.source = source;
  }

  static Pattern translate(String where, String source) {
    PatternTranslator translator = new PatternTranslator(where, source);
    if (source.length() > LONGEST) {
      throw translator.refused("a pattern of " + source.length() + " characters");
    }
    Part whole = translator.alternatives();
    if (translator.at < source.length()) {
      throw translator.refused("an unopened )");
    }
    if (whole.shortest == 0) {
      throw translator.refused("a pattern that matches the empty text");
    }
    try {
      return Pattern.compile(whole.java);
    } catch (PatternSyntaxException e) {
      throw translator.refused("something Java refuses (" + e.getDescription() + ")", e);
    }
  }

  private Part alternatives() {
    if (++depth > DEEPEST) {
      throw refused("groups nested deeper than " + DEEPEST);
    }
    Part all = sequence();
    while (take("|")) {
      Part next = sequence();
      all = new Part(all.java + "|" + next.java, Math.min(all.shortest, next.shortest), false);
    }
    depth--;
    return all;
  }

  private Part sequence() {
    StringBuilder java = new StringBuilder();
    int shortest = 0;
    while (at < source.length() && peek() != '|' && peek() != ')') {
      Part part = repeated();
      java.append(part.java);
      shortest = Math.min(LONGEST, shortest + part.shortest);
    }
    return new Part(java.toString(), shortest, false);
  }

  private Part repeated() {
    int from = at;
    Part part = atom();
    if (at == source.length() || "?*+{".indexOf(peek()) < 0) {
      return part;
    }
    if (source.startsWith("(?=", from) || source.startsWith("(?!", from)) {
      throw refused("a repeated look-ahead");
    }
    int quantifierAt = at;
    int min = 0;
    int max = Integer.MAX_VALUE;
    if (take("?")) {
      max = 1;
    } else if (take("+")) {
      min = 1;
    } else if (!take("*")) {
      at++;
      min = peek() == ',' ? 0 : count();
      max = take(",") ? (peek() == '}' ? max : count()) : min;
      if (!take("}") || max < min) {
        throw refused("a { that begins no quantifier");
      }
    }
    if (!part.single) {
      limitGroup(max);
    }
    String quantifier = source.substring(quantifierAt, at).replace("{,", "{0,");
    if (take("?") || (!quantifier.endsWith("}") && take("+"))) {
      quantifier += source.charAt(at - 1);
    }
    if (at < source.length() && "?*+{".indexOf(peek()) >= 0) {
      throw refused("a quantifier after a quantifier");
    }
    return new Part(part.java + quantifier, Math.min(LONGEST, min * part.shortest), false);
  }

  private void limitGroup(int max) {
    if (max == Integer.MAX_VALUE) {
      throw refused("a group repeated without bound");
    }
    repeats *= Math.max(1, max);
    if (repeats > MOST_REPEATS) {
      throw refused("groups repeated more than " + MOST_REPEATS + " times");
    }
  }

  private int count() {
    int from = at;
    while (at < source.length() && peek() >= '0' && peek() <= '9') {
      at++;
    }
    if (at == from || at - from > 3) {
      throw refused("a { without a count of up to three digits");
    }
    return Integer.parseInt(source.substring(from, at));
  }

  private Part atom() {
    char c = peek();
    if (c == '(') {
      return group();
    }
    if (c == '[') {
      refuseIgnoringCase("a character class");
      return new Part(characterClass(), 1, true);
    }
    if (c == '.') {
      at++;
      return new Part("[^\\n]", 1, true);
    }
    if (c == '\\') {
      return new Part(escape(), 1, true);
    }
    if (c == '$') {
      at++;
      return new Part("(?=\\x{a}|\\z)", 0, false);
    }
    if ("^?*+{".indexOf(c) >= 0) {
      throw refused("a bare " + c);
    }
    return new Part(literal(character()), 1, true);
  }

  private Part group() {
    if (take("(?=") || take("(?!")) {
      String open = source.substring(at - 3, at);
      return new Part(open + body().java + ")", 0, false);
    }
    boolean outer = ignoreCase;
    String open = "(?:";
    if (take("(?i:")) {
      ignoreCase = true;
      open = "(?iu:";
    } else if (!take("(?:")) {
      at++;
      if (peek() == '?') {
        throw refused("the group (" + source.substring(at, Math.min(at + 3, source.length())));
      }
    }
    Part body = body();
    ignoreCase = outer;
    return new Part(open + body.java + ")", body.shortest, false);
  }

  private Part body() {
    Part body = alternatives();
    if (!take(")")) {
      throw refused("an unclosed (");
    }
    return body;
  }

  private String characterClass() {
    if (++depth > DEEPEST) {
      throw refused("classes nested deeper than " + DEEPEST);
    }
    at++;
    StringBuilder java = new StringBuilder(take("^") ? "[^" : "[");
    int from = at;
    int sideAt = at;
    while (peek() != ']' || at == sideAt) {
      if (at == sideAt && (peek() == ']' || source.startsWith("&&", at))) {
        throw refused(at == from ? "a class that begins with ] or &&" : "nothing beside &&");
      }
      if (take("&&")) {
        java.append("&&");
        sideAt = at;
      } else if (source.startsWith("[:", at)) {
        throw refused("a class that begins with [:");
      } else if (peek() == '[') {
        java.append(characterClass());
      } else {
        classItem(java);
      }
    }
    at++;
    depth--;
    return java.append(']').toString();
  }

  private void classItem(StringBuilder java) {
    boolean category = peek() == '\\' && at + 1 < source.length() && isCategory(at + 1);
    String item = peek() == '\\' ? escape() : literal(character());
    java.append(item);
    if (peek() != '-' || at + 1 == source.length() || source.charAt(at + 1) == ']') {
      return;
    }
    if (category) {
      throw refused("a range that begins with a class");
    }
    at++;
    if (peek() == '[' || (peek() == '\\' && isCategory(at + 1))) {
      throw refused("a range that ends in a class");
    }
    java.append('-').append(peek() == '\\' ? escape() : literal(character()));
  }

  private boolean isCategory(int letterAt) {
    return letterAt < source.length() && "pPsSdD".indexOf(source.charAt(letterAt)) >= 0;
  }

  private String escape() {
    at++;
    char c = peek();
    at++;
    switch (c) {
      case 's', 'S', 'd', 'D', 'p', 'P' -> refuseIgnoringCase("a class of characters");
      default -> {}
    }
    return switch (c) {
      case 's' -> "\\p{IsWhite_Space}";
      case 'S' -> "\\P{IsWhite_Space}";
      case 'd' -> "\\p{Nd}";
      case 'D' -> "\\P{Nd}";
      case 'p', 'P' -> "\\" + c + "{" + property() + "}";
      case 'r' -> literal('\r');
      case 'n' -> literal('\n');
      case 't' -> literal('\t');
      case 'f' -> literal('\f');
      case 'v' -> literal(0x0B);
      case 'x' -> hex(take("{") ? source.indexOf('}', at) - at : 2);
      case 'u' -> hex(4);
      default -> {
        if (c >= 0x80 || Character.isLetterOrDigit(c)) {
          throw refused("\\" + c);
        }
        yield literal(c);
      }
    };
  }

  private String hex(int digits) {
    try {
      int value = Integer.parseInt(source, at, at + digits, 16);
      at += digits;
      if (source.charAt(at - digits - 1) == '{') {
        at++;
      }
      if (Character.isValidCodePoint(value)) {
        return literal(value);
      }
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw refused("an escape without its digits", e);
    }
    throw refused("an escape beyond U+10FFFF");
  }

  private String property() {
    int end = source.indexOf('}', at);
    if (!take("{") || end < 0) {
      throw refused("\\p without a name in braces");
    }
    String name = source.substring(at, end);
    at = end + 1;
    if (CATEGORIES.contains(name)) {
      return name;
    }
    try {
      return "Is" + Character.UnicodeScript.forName(name).name().toLowerCase(Locale.ROOT);
    } catch (IllegalArgumentException e) {
      throw refused("\\p{" + name + "}", e);
    }
  }

  private int character() {
    int c = source.codePointAt(at);
    int from = at;
    at += Character.charCount(c);
    if (ignoreCase) {
      String pair = source.substring(from, Math.min(at + 1, source.length()));
      if (c >= 0x80 || FOLDED_PAIRS.contains(pair.toLowerCase(Locale.ROOT))) {
        throw refused("letters in (?i:…) that fold to more than their upper and lower case");
      }
    }
    return c;
  }

  /** Every character is spelled as a number, so that none means anything else to Java. */
  private static String literal(int c) {
    return String.format(Locale.ROOT, "\\x{%x}", c);
  }

  private char peek() {
    if (at >= source.length()) {
      throw refused("a pattern that breaks off");
    }
    return source.charAt(at);
  }

  private boolean take(String expected) {
    boolean found = source.startsWith(expected, at);
    if (found) {
      at += expected.length();
    }
    return found;
  }

  private void refuseIgnoringCase(String what) {
    if (ignoreCase) {
      throw refused(what + " in (?i:…)");
    }
  }

  private TokenizerException refused(String what) {
    return refused(what, null);
  }

  private TokenizerException refused(String what, Throwable cause) {
    return new TokenizerException(
        String.format(
            Locale.ROOT,
            "%s: the pattern %s has %s near character %d, which is not supported",
            where,
            Vocabulary.quoted(source),
            what,
            at),
        cause);
  }
}
