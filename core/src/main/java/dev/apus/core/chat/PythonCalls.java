package dev.apus.core.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads calls that are written as in Python: {@code [name(key="value", other=[1, 2])]}. */
final class PythonCalls {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final int DEEPEST = 64;

  private final String text;
  private int at;

  /** What is no such text. */
  private static final class Otherwise extends RuntimeException {
    private static final long serialVersionUID = 1;

    Otherwise() {
      super(null, null, false, false);
    }
  }

  private PythonCalls(String text) {
    this.text = text;
  }

  static Optional<List<CallFormat.Named>> read(String text) {
    try {
      return Optional.of(new PythonCalls(text).calls());
    } catch (Otherwise e) {
      return Optional.empty();
    }
  }

  private List<CallFormat.Named> calls() {
    boolean list = skip('[');
    List<CallFormat.Named> calls = new ArrayList<>();
    do {
      calls.add(call());
    } while (list && skip(','));
    if (list) {
      need(']');
    }
    spaces();
    if (at < text.length()) {
      throw new Otherwise();
    }
    return calls;
  }

  private CallFormat.Named call() {
    String name = name();
    need('(');
    ObjectNode arguments = JSON.objectNode();
    while (!skip(')')) {
      String key = name();
      need('=');
      arguments.set(key, value(0));
      if (!skip(',') && peek() != ')') {
        throw new Otherwise();
      }
    }
    return new CallFormat.Named(null, name, arguments.toString());
  }

  private String name() {
    spaces();
    int from = at;
    while (at < text.length()
        && (Character.isLetterOrDigit(text.charAt(at)) || "_.-".indexOf(text.charAt(at)) >= 0)) {
      at++;
    }
    if (from == at) {
      throw new Otherwise();
    }
    return text.substring(from, at);
  }

  private JsonNode value(int depth) {
    if (depth > DEEPEST) {
      throw new Otherwise();
    }
    int c = peek();
    if (c == '"' || c == '\'') {
      return JSON.textNode(string());
    }
    if (skip('[')) {
      ArrayNode list = JSON.arrayNode();
      while (!skip(']')) {
        list.add(value(depth + 1));
        if (!skip(',') && peek() != ']') {
          throw new Otherwise();
        }
      }
      return list;
    }
    if (skip('{')) {
      ObjectNode object = JSON.objectNode();
      while (!skip('}')) {
        spaces();
        String key = string();
        need(':');
        object.set(key, value(depth + 1));
        if (!skip(',') && peek() != '}') {
          throw new Otherwise();
        }
      }
      return object;
    }
    return word();
  }

  private JsonNode word() {
    int from = at;
    while (at < text.length() && ",)]} \n".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    String word = text.substring(from, at);
    return switch (word) {
      case "True", "true" -> JSON.booleanNode(true);
      case "False", "false" -> JSON.booleanNode(false);
      case "None", "null" -> JSON.nullNode();
      default -> {
        if (!word.matches("[+-]?\\d{1,300}(\\.\\d{0,300})?([eE][+-]?\\d{1,3})?")) {
          throw new Otherwise();
        }
        BigDecimal number = new BigDecimal(word);
        yield word.matches("[+-]?\\d+")
            ? JSON.numberNode(number.toBigIntegerExact())
            : JSON.numberNode(number);
      }
    };
  }

  private String string() {
    if (at >= text.length() || (text.charAt(at) != '"' && text.charAt(at) != '\'')) {
      throw new Otherwise();
    }
    char quote = text.charAt(at++);
    StringBuilder out = new StringBuilder();
    while (at < text.length() && text.charAt(at) != quote) {
      char c = text.charAt(at++);
      out.append(c == '\\' && at < text.length() ? escape() : String.valueOf(c));
    }
    if (at++ >= text.length()) {
      throw new Otherwise();
    }
    return out.toString();
  }

  private String escape() {
    char c = text.charAt(at++);
    return switch (c) {
      case 'n' -> "\n";
      case 't' -> "\t";
      case 'r' -> "\r";
      case 'b' -> "\b";
      case 'f' -> "\f";
      // The slash is JSON's.
      case '\\', '"', '\'', '/' -> String.valueOf(c);
      case 'u' -> {
        if (at + 4 > text.length() || !text.substring(at, at + 4).matches("[0-9a-fA-F]{4}")) {
          throw new Otherwise();
        }
        at += 4;
        yield String.valueOf((char) Integer.parseInt(text.substring(at - 4, at), 16));
      }
      default -> "\\" + c;
    };
  }

  private void spaces() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private int peek() {
    spaces();
    return at < text.length() ? text.charAt(at) : -1;
  }

  private boolean skip(char c) {
    boolean there = peek() == c;
    at += there ? 1 : 0;
    return there;
  }

  private void need(char c) {
    if (!skip(c)) {
      throw new Otherwise();
    }
  }
}
