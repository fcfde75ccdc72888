package dev.apus.structure;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads grammars in the notation of llama.cpp, GBNF: rules as {@code name ::= …}, of texts in
 * quotes, classes of characters, names of rules, parentheses, alternatives, and repetitions as in
 * regular expressions.
 */
final class GrammarParser {

  /** A rule, and where it is. */
  record Rule(String name, int line, Regex body) {}

  private static final CodePoints NAMES =
      CodePoints.range('a', 'z')
          .or(CodePoints.range('A', 'Z'))
          .or(CodePoints.range('0', '9'))
          .or(CodePoints.of('-', '_'));

  private static final int DEEPEST = 200;
  private static final String ESCAPES = "nrt\\\"[]-^";

  private final int[] text;
  private final Map<String, Integer> used = new LinkedHashMap<>();
  private int at;
  private int depth;

  private GrammarParser(String grammar) {
    this.text = grammar.codePoints().toArray();
  }

  /**
   * The rules by their names.
   *
   * @throws StructureException with the line and column of what cannot be read, or with the line of
   *     a rule that is not there, or that begins with itself
   */
  static Map<String, Rule> parse(String grammar) {
    return new GrammarParser(grammar).rules();
  }

  private Map<String, Rule> rules() {
    Map<String, Rule> rules = new LinkedHashMap<>();
    for (space(true); at < text.length; space(true)) {
      int from = at;
      String name = name();
      space(false);
      if (!takes("::=")) {
        throw wrong(at, "needed: ::= after the name of a rule");
      }
      space(true);
      if (rules.put(name, new Rule(name, line(from), choice(false))) != null) {
        throw wrong(from, "there is a rule " + name + " before");
      }
      if (at < text.length && text[at] != '\n' && text[at] != '\r') {
        throw wrong(at, "unexpected " + Character.toString(text[at]));
      }
    }
    used.forEach(
        (name, place) -> {
          if (!rules.containsKey(name)) {
            throw wrong(place, "there is no rule " + name);
          }
        });
    if (!rules.containsKey("root")) {
      throw new StructureException("the grammar has no rule root, which is the whole text");
    }
    LeftRecursion.refuse(rules);
    return rules;
  }

  private Regex choice(boolean nested) {
    if (++depth > DEEPEST) {
      throw wrong(at, "more than " + DEEPEST + " parentheses within one another");
    }
    List<Regex> ways = new ArrayList<>(List.of(sequence(nested)));
    while (takes("|")) {
      space(true);
      ways.add(sequence(nested));
    }
    depth--;
    return ways.size() == 1 ? ways.getFirst() : new Regex.Choice(ways);
  }

  private Regex sequence(boolean nested) {
    List<Regex> parts = new ArrayList<>();
    for (Regex part = part(); part != null; part = part()) {
      parts.add(repeated(part));
      space(nested);
    }
    return parts.size() == 1 ? parts.getFirst() : new Regex.Sequence(parts);
  }

  /** The next part of a sequence; null if it is over. */
  private Regex part() {
    if (at >= text.length) {
      return null;
    }
    int c = text[at];
    if (NAMES.contains(c)) {
      int from = at;
      String name = name();
      used.putIfAbsent(name, from);
      return new Regex.Reference(name);
    }
    return switch (c) {
      case '"' -> literal();
      case '[' -> characters();
      case '(' -> {
        int from = at++;
        space(true);
        Regex inner = choice(true);
        if (!takes(")")) {
          throw wrong(from, "a parenthesis that is not closed");
        }
        yield inner;
      }
      case '.' -> {
        at++;
        yield new Regex.Characters(CodePoints.ALL);
      }
      case '<', '!' -> throw wrong(at, "tokens, such as <think>, are not supported; write texts");
      case '*', '+', '?', '{' -> throw wrong(at, "nothing that could be repeated");
      default -> null;
    };
  }

  private Regex repeated(Regex part) {
    Regex result = part;
    while (at < text.length) {
      switch (text[at]) {
        case '*' -> result = new Regex.Repetition(result, 0, Node.UNBOUNDED);
        case '+' -> result = new Regex.Repetition(result, 1, Node.UNBOUNDED);
        case '?' -> result = new Regex.Repetition(result, 0, 1);
        case '{' -> {
          result = counted(result);
          continue;
        }
        default -> {
          return result;
        }
      }
      at++;
    }
    return result;
  }

  private Regex counted(Regex part) {
    int from = at++;
    space(true);
    int least = at < text.length && text[at] == ',' ? 0 : count(from);
    space(true);
    int most = least;
    if (takes(",")) {
      space(true);
      most = at < text.length && text[at] == '}' ? Node.UNBOUNDED : count(from);
      space(true);
    }
    if (!takes("}") || most < least) {
      throw wrong(from, "needed: {n}, {n,} or {n,m} with n of at most m");
    }
    return new Regex.Repetition(part, least, most);
  }

  private int count(int from) {
    long count = 0;
    int begin = at;
    for (; at < text.length && text[at] >= '0' && text[at] <= '9'; at++) {
      count = 10 * count + text[at] - '0';
      if (count >= Node.UNBOUNDED) {
        throw wrong(from, "a count above " + (Node.UNBOUNDED - 1));
      }
    }
    if (at == begin) {
      throw wrong(from, "needed: {n}, {n,} or {n,m} with n of at most m");
    }
    return (int) count;
  }

  private Regex literal() {
    int from = at++;
    StringBuilder literal = new StringBuilder();
    while (at < text.length && text[at] != '"') {
      literal.appendCodePoint(character(from));
    }
    if (!takes("\"")) {
      throw wrong(from, "a text whose quotes are not closed");
    }
    return new Regex.Text(literal.toString());
  }

  private Regex characters() {
    int from = at++;
    boolean others = takes("^");
    CodePoints set = CodePoints.NONE;
    while (at < text.length && text[at] != ']') {
      int first = character(from);
      int last = first;
      if (at + 1 < text.length && text[at] == '-' && text[at + 1] != ']') {
        at++;
        last = character(from);
      }
      if (last < first) {
        throw wrong(from, "a range whose end comes before its beginning");
      }
      set = set.or(CodePoints.range(first, last));
    }
    if (!takes("]")) {
      throw wrong(from, "a class of characters that is not closed");
    }
    return new Regex.Characters(others ? CodePoints.ALL.minus(set) : set);
  }

  private int character(int from) {
    int c = text[at++];
    if (c != '\\') {
      return c;
    }
    int escape = at < text.length ? text[at++] : -1;
    return switch (escape) {
      case 'x' -> hexadecimal(from, 2);
      case 'u' -> hexadecimal(from, 4);
      case 'U' -> hexadecimal(from, 8);
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      default -> {
        if (escape < 0 || ESCAPES.indexOf(escape) < 0) {
          throw wrong(
              at - 1, "an escape that is unknown; known: \\n \\r \\t \\\\ \\\" \\[ \\] \\x \\u");
        }
        yield escape;
      }
    };
  }

  private int hexadecimal(int from, int digits) {
    long value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = at < text.length ? Character.digit(text[at++], 16) : -1;
      if (digit < 0) {
        throw wrong(at - 1, "needed: " + digits + " hexadecimal digits");
      }
      value = 16 * value + digit;
    }
    if (value > Character.MAX_CODE_POINT
        || Character.isSurrogate((char) value) && value < 0x10000) {
      throw wrong(from, "holds the number of no character");
    }
    return (int) value;
  }

  private String name() {
    int from = at;
    while (at < text.length && NAMES.contains(text[at])) {
      at++;
    }
    if (at == from) {
      throw wrong(at, "needed: the name of a rule");
    }
    return new String(text, from, at - from);
  }

  /** Skips spaces and comments. */
  private void space(boolean lines) {
    while (at < text.length) {
      int c = text[at];
      if (c == '#') {
        while (at < text.length && text[at] != '\n') {
          at++;
        }
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        at++;
      } else {
        return;
      }
    }
  }

  private boolean takes(String wanted) {
    if (at + wanted.length() > text.length) {
      return false;
    }
    for (int i = 0; i < wanted.length(); i++) {
      if (text[at + i] != wanted.charAt(i)) {
        return false;
      }
    }
    at += wanted.length();
    return true;
  }

  private int line(int place) {
    int line = 1;
    for (int i = 0; i < place && i < text.length; i++) {
      line += text[i] == '\n' ? 1 : 0;
    }
    return line;
  }

  private StructureException wrong(int place, String what) {
    int column = 1;
    for (int i = Math.min(place, text.length) - 1; i >= 0 && text[i] != '\n'; i--) {
      column++;
    }
    return new StructureException(
        "the grammar, line " + line(place) + ", column " + column + ": " + what);
  }
}
