package dev.apus.core.template;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Values as Python's json module writes them. */
final class JsonText {

  private final StringBuilder out = new StringBuilder();
  private final boolean ascii;
  private final String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sorted;

  private JsonText(
      boolean ascii, String indent, String itemSeparator, String keySeparator, boolean sorted) {
    this.ascii = ascii;
    this.indent = indent;
    this.itemSeparator = itemSeparator;
    this.keySeparator = keySeparator;
    this.sorted = sorted;
  }

  /** The filter {@code tojson}, with the options that transformers gives it. */
  static String write(Arguments given) {
    Map<String, Object> options =
        given.of("value", "ensure_ascii", "indent", "separators", "sort_keys");
    Object indent = options.get("indent");
    String step =
        switch (indent) {
          case null -> null;
          case String text -> text;
          default -> " ".repeat(Math.max(0, Math.min(64, Values.count(indent))));
        };
    String item = step == null ? ", " : ",";
    String key = ": ";
    if (options.get("separators") instanceof List<?> separators && separators.size() == 2) {
      item = Values.text(separators.get(0));
      key = Values.text(separators.get(1));
    }
    var json =
        new JsonText(
            Values.isTrue(options.get("ensure_ascii")),
            step,
            item,
            key,
            Values.isTrue(options.get("sort_keys")));
    json.value(options.get("value"), 0);
    return json.out.toString();
  }

  private void value(Object value, int depth) {
    switch (value) {
      case null -> out.append("null");
      case Boolean b -> out.append(b);
      case Long l -> out.append(l);
      case Double d -> out.append(number(d));
      case String text -> string(text);
      case List<?> list -> list(list, depth);
      case Map<?, ?> map -> map(map, depth);
      default -> throw Values.needed("a value that JSON has", value);
    }
  }

  private static String number(double value) {
    String text = Values.digits(value);
    return switch (text) {
      case "nan" -> "NaN";
      case "inf" -> "Infinity";
      case "-inf" -> "-Infinity";
      default -> text;
    };
  }

  private void list(List<?> list, int depth) {
    out.append('[');
    boolean first = true;
    for (Object item : list) {
      separate(first, depth + 1);
      first = false;
      value(item, depth + 1);
    }
    end(first, depth);
    out.append(']');
  }

  private void map(Map<?, ?> map, int depth) {
    out.append('{');
    List<? extends Map.Entry<?, ?>> entries = List.copyOf(map.entrySet());
    if (sorted) {
      entries = entries.stream().sorted((a, b) -> Values.compare(a.getKey(), b.getKey())).toList();
    }
    boolean first = true;
    for (Map.Entry<?, ?> entry : entries) {
      separate(first, depth + 1);
      first = false;
      string(key(entry.getKey()));
      out.append(keySeparator);
      value(entry.getValue(), depth + 1);
    }
    end(first, depth);
    out.append('}');
  }

  private static String key(Object key) {
    return switch (key) {
      case null -> "null";
      case Boolean b -> b.toString();
      case Double d -> number(d);
      default -> Values.text(key);
    };
  }

  private void separate(boolean first, int depth) {
    if (!first) {
      out.append(itemSeparator);
    }
    line(depth);
  }

  private void end(boolean empty, int depth) {
    if (!empty) {
      line(depth);
    }
  }

  private void line(int depth) {
    if (indent != null) {
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < ' ' || (ascii && c > '~')) {
            out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
