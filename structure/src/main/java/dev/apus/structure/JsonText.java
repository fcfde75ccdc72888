package dev.apus.structure;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * How JSON is spelled. Strings that are free may escape whatever they like; all others, and keys,
 * escape what they must, in the shortest way. One space may follow a comma or a colon; there is no
 * other white space outside of strings.
 */
final class JsonText {

  /** How deeply values of any form may be nested. */
  private static final int DEEPEST = 64;

  private static final CodePoints PLAIN =
      CodePoints.range(' ', Character.MAX_CODE_POINT).minus(CodePoints.of('"', '\\'));

  /** One character of a free string. */
  static final ByteTree CHARACTER = free(CodePoints.ALL);

  private static final Node SPACE = Nodes.optional(Nodes.text(" "));

  static final Node COMMA = Nodes.sequence(Nodes.text(","), SPACE);
  static final Node COLON = Nodes.sequence(Nodes.text(":"), SPACE);
  static final Node QUOTE = Nodes.text("\"");
  static final Node INTEGER = Numbers.integer(null, null);
  static final Node NUMBER = Numbers.any();

  /** How JSON's words are spelled. */
  record Words(String yes, String no, String none) {

    static final Words JSON = new Words("true", "false", "null");
    static final Words PYTHON = new Words("True", "False", "None");

    Node bool() {
      return Nodes.choice(Nodes.text(yes), Nodes.text(no));
    }
  }

  private final CodePoints available;
  private final Words words;
  private final Node character;
  private final Node string;
  private final Map<CodePoints, Node> spelled = new IdentityHashMap<>();
  private final List<Node> values = new ArrayList<>();

  /**
   * @param available the characters that can be written at all
   */
  JsonText(CodePoints available) {
    this(available, Words.JSON);
  }

  JsonText(CodePoints available, Words words) {
    this.available = available;
    this.words = words;
    this.character = available == CodePoints.ALL ? CHARACTER : free(available);
    this.string = string(0, Node.UNBOUNDED);
    values.add(Nodes.choice(string, NUMBER, words.bool(), nothing()));
  }

  CodePoints available() {
    return available;
  }

  Node bool() {
    return words.bool();
  }

  Node nothing() {
    return Nodes.text(words.none());
  }

  private static ByteTree free(CodePoints available) {
    ByteTree tree = ByteTree.of(available.and(PLAIN));
    ByteTree escape = tree.child('\\');
    for (char c : "\"\\/bfnrt".toCharArray()) {
      escape.put(c, end());
    }
    ByteTree unit = escape.child('u');
    ByteTree two = digits(2, end());
    ByteTree three = digits(1, two);
    ByteTree low = new ByteTree();
    each("cdefCDEF", low, two);
    ByteTree pair = new ByteTree();
    each("dD", pair.child('\\').child('u'), low);
    ByteTree surrogate = new ByteTree();
    each("01234567", surrogate, two);
    each("89abAB", surrogate, digits(2, pair));
    each("0123456789abcefABCEF", unit, three);
    each("dD", unit, surrogate);
    return tree;
  }

  private static ByteTree end() {
    return new ByteTree().add("");
  }

  private static ByteTree digits(int count, ByteTree then) {
    ByteTree tree = then;
    for (int i = 0; i < count; i++) {
      ByteTree before = new ByteTree();
      each("0123456789abcdefABCDEF", before, tree);
      tree = before;
    }
    return tree;
  }

  private static void each(String bytes, ByteTree tree, ByteTree then) {
    for (char c : bytes.toCharArray()) {
      tree.put(c, then);
    }
  }

  /** A string of so many characters. */
  Node string(int least, int most) {
    return Nodes.sequence(QUOTE, Nodes.repeat(character, least, most), QUOTE);
  }

  /** A free string. */
  Node string() {
    return string;
  }

  /** A string that an expression matches. */
  Node string(Regex regex, boolean search, String name) {
    return Nodes.sequence(QUOTE, Regex.node(regex, search, this::spelled, name), QUOTE);
  }

  /** Characters of strings, escaped where they must be. */
  Node spelled(CodePoints set) {
    return spelled.computeIfAbsent(set, this::spelling);
  }

  private Node spelling(CodePoints set) {
    CodePoints possible = set.and(available);
    ByteTree tree = ByteTree.of(possible.and(PLAIN));
    CodePoints rest = possible.minus(PLAIN);
    for (int c = 0; c <= '\\'; c++) {
      if (rest.contains(c)) {
        tree.add(escaped(c));
      }
    }
    return tree;
  }

  private static String escaped(int c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default -> c < ' ' ? String.format(Locale.ROOT, "\\u%04x", c) : Character.toString(c);
    };
  }

  /** A string as it is written, with its quotes. */
  static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    text.codePoints().forEach(c -> out.append(escaped(c)));
    return out.append('"').toString();
  }

  /** Exactly this text, if its characters are there. */
  Node exactly(String text) {
    return available.containsAll(text) ? Nodes.text(text) : Nodes.NONE;
  }

  /** A key and its colon. */
  Node key(String name) {
    return Nodes.sequence(exactly(quoted(name)), COLON);
  }

  /** A string that is none of these. */
  Node otherThan(Iterable<String> names) {
    Names tree = new Names();
    names.forEach(tree::add);
    return Nodes.sequence(QUOTE, other(tree));
  }

  /** The names by their characters. */
  private static final class Names {
    private final Map<Integer, Names> next = new TreeMap<>();
    private boolean end;

    void add(String name) {
      Names at = this;
      for (int c : name.codePoints().toArray()) {
        at = at.next.computeIfAbsent(c, _ -> new Names());
      }
      at.end = true;
    }
  }

  /** What may follow where the names so far agree with those of a tree. */
  private Node other(Names names) {
    List<Node> ways = new ArrayList<>();
    if (!names.end) {
      ways.add(QUOTE);
    }
    CodePoints others = CodePoints.ALL;
    for (Map.Entry<Integer, Names> next : names.next.entrySet()) {
      CodePoints one = CodePoints.of(next.getKey());
      others = others.minus(one);
      ways.add(Nodes.sequence(spelled(one), other(next.getValue())));
    }
    Node rest = Nodes.repeat(spelled(CodePoints.ALL), 0, Node.UNBOUNDED);
    ways.add(Nodes.sequence(spelled(others), rest, QUOTE));
    return Nodes.choice(ways);
  }

  /** A value of any form, nested no more than {@value #DEEPEST} deep. */
  Node any() {
    while (values.size() <= DEEPEST) {
      Node inner = values.getLast();
      values.add(Nodes.choice(values.getFirst(), object(string, inner), array(inner)));
    }
    return values.getLast();
  }

  /** An object of any form. */
  Node anyObject() {
    any();
    return object(string, values.get(DEEPEST - 1));
  }

  private static Node object(Node key, Node value) {
    Node member = Nodes.sequence(key, COLON, value);
    Node members = Nodes.sequence(member, Nodes.repeat(rest(member), 0, Node.UNBOUNDED));
    return Nodes.sequence(Nodes.text("{"), Nodes.optional(members), Nodes.text("}"));
  }

  private static Node array(Node item) {
    return array(List.of(), item, 0, Node.UNBOUNDED);
  }

  private static Node rest(Node item) {
    return Nodes.sequence(COMMA, item);
  }

  /**
   * An array.
   *
   * @param first what its first places hold
   * @param item what all others hold
   * @param least how many items there are at least
   */
  static Node array(List<Node> first, Node item, int least, int most) {
    int places = Math.min(first.size(), most);
    int more = most == Node.UNBOUNDED ? most : most - places;
    Node rest =
        places == 0
            ? listed(item, least, more)
            : Nodes.repeat(rest(item), Math.max(0, least - places), more);
    for (int i = places - 1; i >= 0; i--) {
      Node here = Nodes.sequence(i == 0 ? first.get(i) : rest(first.get(i)), rest);
      rest = i < least ? here : Nodes.optional(here);
    }
    return Nodes.sequence(Nodes.text("["), rest, Nodes.text("]"));
  }

  private static Node listed(Node item, int least, int most) {
    if (most == 0) {
      return least == 0 ? Node.EMPTY : Nodes.NONE;
    }
    int more = most == Node.UNBOUNDED ? most : most - 1;
    Node items = Nodes.sequence(item, Nodes.repeat(rest(item), Math.max(0, least - 1), more));
    return least == 0 ? Nodes.optional(items) : items;
  }

  /** Exactly this value, with spaces where they may be. */
  Node exactly(JsonNode value) {
    if (value.isObject()) {
      List<Node> parts = new ArrayList<>();
      value
          .properties()
          .forEach(
              member -> {
                parts.add(parts.isEmpty() ? Node.EMPTY : COMMA);
                parts.add(key(member.getKey()));
                parts.add(exactly(member.getValue()));
              });
      return Nodes.sequence(Nodes.text("{"), Nodes.sequence(parts), Nodes.text("}"));
    }
    if (value.isArray()) {
      List<Node> items = new ArrayList<>();
      value.forEach(item -> items.add(exactly(item)));
      return array(items, Nodes.NONE, items.size(), items.size());
    }
    if (value.isBoolean()) {
      return Nodes.text(value.booleanValue() ? words.yes() : words.no());
    }
    return value.isNull()
        ? nothing()
        : exactly(value.isTextual() ? quoted(value.textValue()) : value.toString());
  }
}
