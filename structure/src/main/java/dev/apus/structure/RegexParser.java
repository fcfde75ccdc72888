package dev.apus.structure;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Reads regular expressions: characters, classes, groups, alternatives, counts and anchors. What
 * would need memory of what was matched, or a look elsewhere, is refused.
 */
final class RegexParser {

  private static final CodePoints DIGITS = CodePoints.range('0', '9');
  private static final CodePoints WORD =
      CodePoints.range('a', 'z')
          .or(CodePoints.range('A', 'Z'))
          .or(DIGITS)
          .or(CodePoints.range('_', '_'));
  private static final CodePoints SPACE = CodePoints.of(' ', '\t', '\n', 0x0B, '\f', '\r');
  private static final CodePoints LINE_ENDS = CodePoints.of('\n', '\r', 0x85, 0x2028, 0x2029);

  /** Spaces of ECMAScript that Java's {@code \s} does not know; neither class has them there. */
  private static final CodePoints WIDER_SPACE =
      CodePoints.where(Character::isSpaceChar).or(CodePoints.of(0xFEFF)).minus(SPACE);

  private static final int DEEPEST = 200;

  private final String name;
  private final String text;
  private final boolean ecma;
  private int at;
  private int depth;

  /** Whether what is read now is turned to its opposite, so that less must become more. */
  private boolean negated;

  private RegexParser(String name, String text, boolean ecma) {
    this.name = name;
    this.text = text;
    this.ecma = ecma;
  }

  /**
   * Reads an expression.
   *
   * @param name what messages call it
   * @param ecma whether it is one of ECMAScript, as those of JSON schemas are
   */
  static Regex parse(String name, String text, boolean ecma) {
    RegexParser parser = new RegexParser(name, text, ecma);
    Regex regex = parser.alternatives();
    if (parser.at < text.length()) {
      throw parser.wrong("')' without '('");
    }
    return regex;
  }

  private Regex alternatives() {
    if (++depth > DEEPEST) {
      throw wrong("groups nested more than " + DEEPEST + " deep");
    }
    List<Regex> alternatives = new ArrayList<>();
    do {
      alternatives.add(sequence());
    } while (skip('|'));
    depth--;
    return alternatives.size() == 1 ? alternatives.getFirst() : new Regex.Choice(alternatives);
  }

  private Regex sequence() {
    List<Regex> parts = new ArrayList<>();
    while (at < text.length() && peek() != '|' && peek() != ')') {
      parts.add(counted(atom()));
    }
    return parts.size() == 1 ? parts.getFirst() : new Regex.Sequence(parts);
  }

  private Regex counted(Regex atom) {
    Regex regex = atom;
    while (at < text.length()) {
      int from = at;
      int least;
      int most;
      if (skip('*')) {
        least = 0;
        most = Node.UNBOUNDED;
      } else if (skip('+')) {
        least = 1;
        most = Node.UNBOUNDED;
      } else if (skip('?')) {
        least = 0;
        most = 1;
      } else if (skip('{')) {
        least = number();
        most = least;
        if (skip(',')) {
          most = peek() == '}' ? Node.UNBOUNDED : number();
        }
        if (!skip('}')) {
          throw wrong("a count {m}, {m,} or {m,n} that is not whole");
        }
      } else {
        return regex;
      }
      if (most < least) {
        throw wrong("a count from " + least + " to " + most);
      }
      if (regex instanceof Regex.Anchor || from == 0) {
        throw wrong("a repetition of nothing");
      }
      skip('?');
      if (peek() == '+') {
        throw wrong("a possessive repetition, which is not supported");
      }
      regex = new Regex.Repetition(regex, least, most);
    }
    return regex;
  }

  private int number() {
    int from = at;
    while (at < text.length() && DIGITS.contains(peek())) {
      at++;
    }
    if (at == from || at - from > 9) {
      throw wrong("a count that is no number below 1000000000");
    }
    return Integer.parseInt(text.substring(from, at));
  }

  private Regex atom() {
    int c = take();
    return switch (c) {
      case '(' -> group();
      case '[' -> new Regex.Characters(characterClass());
      case '.' -> new Regex.Characters(LINE_ENDS.complement());
      case '^' -> new Regex.Anchor(true, at - 1);
      case '$' -> new Regex.Anchor(false, at - 1);
      case '*', '+', '?' -> throw wrong("a repetition of nothing");
      case '{' -> throw wrong("a count of nothing; a brace itself is \\{");
      case '\\' -> escape();
      default -> new Regex.Characters(CodePoints.of(c));
    };
  }

  private Regex group() {
    if (skip('?')) {
      if (skip('<')) {
        if (peek() == '=' || peek() == '!') {
          throw wrong("a look behind, which is not supported");
        }
        while (at < text.length() && take() != '>') {
          // The name of a group that nothing refers to.
        }
      } else if (!skip(':')) {
        throw wrong("(?" + shown() + ", which is not supported; groups are (…), (?:…), (?<name>…)");
      }
    }
    Regex inner = alternatives();
    if (!skip(')')) {
      throw wrong("a group that is not closed");
    }
    return inner;
  }

  private Regex escape() {
    int c = peek();
    if (c >= '1' && c <= '9' || c == 'k') {
      throw wrong("a reference back to a group, which is not supported");
    }
    if (c == 'A' || c == 'z') {
      at++;
      return new Regex.Anchor(c == 'A', at - 2);
    }
    if (c == 'b' || c == 'B' || c == 'G') {
      throw wrong("\\" + shown() + ", which is not supported");
    }
    return new Regex.Characters(escaped());
  }

  /** The characters of an escape, after its backslash. */
  private CodePoints escaped() {
    if (at >= text.length()) {
      throw wrong("a backslash at the end");
    }
    int c = take();
    return switch (c) {
      case 'd' -> DIGITS;
      case 'D' -> DIGITS.complement();
      case 'w' -> WORD;
      case 'W' -> WORD.complement();
      case 's' -> ecma && negated ? SPACE.or(WIDER_SPACE) : SPACE;
      case 'S' -> (ecma && !negated ? SPACE.or(WIDER_SPACE) : SPACE).complement();
      case 'p', 'P' -> property(c == 'P');
      case 't' -> CodePoints.of('\t');
      case 'n' -> CodePoints.of('\n');
      case 'r' -> CodePoints.of('\r');
      case 'f' -> CodePoints.of('\f');
      case 'v' -> ecma ? CodePoints.of(0x0B) : unknown();
      case '0' -> ecma && !DIGITS.contains(peek()) ? CodePoints.of(0) : unknown();
      case 'x' -> skip('{') ? braced() : CodePoints.of(hex(2));
      case 'u' -> skip('{') ? braced() : utf16();
      case 'c' -> CodePoints.of(take() & 0x1F);
      default -> Character.isLetterOrDigit(c) ? unknown() : CodePoints.of(c);
    };
  }

  private CodePoints unknown() {
    at--;
    throw wrong("\\" + shown() + ", which is not supported");
  }

  private CodePoints braced() {
    int from = at;
    while (at < text.length() && Character.digit(peek(), 16) >= 0) {
      at++;
    }
    int digits = at - from;
    if (digits == 0 || digits > 6 || !skip('}')) {
      throw wrong("\\u{…} without a character's number in it");
    }
    return character(Integer.parseInt(text.substring(from, from + digits), 16));
  }

  private CodePoints utf16() {
    int high = hex(4);
    if (!Character.isHighSurrogate((char) high)) {
      return character(high);
    }
    if (!text.startsWith("\\u", at)) {
      throw wrong("half a character");
    }
    at += 2;
    int low = hex(4);
    if (!Character.isLowSurrogate((char) low)) {
      throw wrong("half a character");
    }
    return CodePoints.of(Character.toCodePoint((char) high, (char) low));
  }

  private CodePoints character(int c) {
    CodePoints one = c > Character.MAX_CODE_POINT ? CodePoints.NONE : CodePoints.of(c);
    if (one.isEmpty()) {
      throw wrong("the number " + Integer.toHexString(c) + ", which is no character's");
    }
    return one;
  }

  private int hex(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(peek(), 16);
      if (digit < 0) {
        throw wrong("an escape of " + digits + " hexadecimal digits that is not whole");
      }
      value = value << 4 | digit;
      at++;
    }
    return value;
  }

  private CodePoints property(boolean not) {
    int from = at;
    if (skip('{')) {
      while (at < text.length() && take() != '}') {
        // The property's name.
      }
    } else {
      take();
    }
    String property = text.substring(from, at);
    try {
      Pattern pattern = Pattern.compile("\\p" + property);
      CodePoints set = CodePoints.where(c -> pattern.matcher(Character.toString(c)).matches());
      return not ? set.complement() : set;
    } catch (PatternSyntaxException e) {
      throw wrong("the unknown property " + property);
    }
  }

  private CodePoints characterClass() {
    boolean not = skip('^');
    negated = not;
    CodePoints set = CodePoints.NONE;
    boolean first = !ecma;
    while (first || peek() != ']') {
      first = false;
      if (at >= text.length()) {
        throw wrong("a class that is not closed");
      }
      if (!ecma && (peek() == '[' || text.startsWith("&&", at))) {
        throw wrong("a class in a class, which is not supported; a bracket itself is \\[");
      }
      CodePoints one = member();
      int[] runs = one.runs();
      boolean single = runs.length == 2 && runs[0] == runs[1];
      if (single && peek() == '-' && at + 1 < text.length() && text.charAt(at + 1) != ']') {
        at++;
        int[] end = member().runs();
        if (end.length != 2 || end[0] != end[1] || end[0] < runs[0]) {
          throw wrong("a range that does not go up");
        }
        one = CodePoints.range(runs[0], end[0]);
      }
      set = set.or(one);
    }
    at++;
    negated = false;
    return not ? set.complement() : set;
  }

  private CodePoints member() {
    int c = take();
    if (c != '\\') {
      return character(c);
    }
    if (peek() == 'b') {
      at++;
      return ecma ? CodePoints.of('\b') : unknown();
    }
    return escaped();
  }

  private int peek() {
    return at < text.length() ? text.codePointAt(at) : -1;
  }

  private int take() {
    if (at >= text.length()) {
      throw wrong("an end where more is needed");
    }
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    return c;
  }

  private boolean skip(char c) {
    boolean there = peek() == c;
    at += there ? 1 : 0;
    return there;
  }

  private String shown() {
    return at < text.length() ? Character.toString(peek()) : "";
  }

  private StructureException wrong(String what) {
    return new StructureException(
        name + ": at character " + (at + 1) + " of " + text + " is " + what);
  }
}
