package dev.apus.core.json;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Text from a file made fit for a message: short, on one line, with nothing hidden in it. */
public final class Printable {

  private static final int LONGEST = 120;

  private Printable() {}

  /** A name as it is, but for control characters and the like, which are escaped. */
  public static String name(String name) {
    boolean cut = name.codePointCount(0, name.length()) > LONGEST;
    int end = cut ? name.offsetByCodePoints(0, LONGEST) : name.length();
    var text = new StringBuilder();
    name.substring(0, end).codePoints().forEach(c -> append(text, c));
    return cut ? text + "… (" + name.length() + " characters)" : text.toString();
  }

  /** The last part of a path, as {@link #name}. */
  public static String fileName(Path file) {
    Path name = file.toAbsolutePath().normalize().getFileName();
    return name((name == null ? file : name).toString());
  }

  /** A JSON value the way the file writes it, long ones cut. */
  public static String value(Object value) {
    return switch (value) {
      case null -> "null";
      case String text -> '"' + name(text) + '"';
      case JsonObject object -> "{…}";
      case Map<?, ?> map -> "{…}";
      case List<?> list when list.isEmpty() -> "[]";
      case List<?> list -> "[" + value(list.getFirst()) + (list.size() > 1 ? ", …]" : "]");
      case Number number -> name(number.toString());
      case Boolean bool -> bool.toString();
      default -> "an array";
    };
  }

  private static void append(StringBuilder text, int c) {
    boolean hidden =
        switch (Character.getType(c)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.PRIVATE_USE,
              Character.UNASSIGNED,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR ->
              true;
          default -> false;
        };
    if (hidden) {
      text.append("\\u{").append(Integer.toHexString(c)).append('}');
    } else {
      text.appendCodePoint(c);
    }
  }
}
