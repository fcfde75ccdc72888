package dev.apus.core.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;

/** The methods of values, as far as they change nothing. */
final class Methods {

  private Methods() {}

  /** A value's method, or null if there is none of that name. */
  static Callable of(Object value, String name) {
    return switch (value) {
      case String text -> ofText(text, name);
      case Map<?, ?> map -> ofMap(map, name);
      case List<?> list -> ofList(list, name);
      case null, default -> null;
    };
  }

  private static Callable ofText(String text, String name) {
    return switch (name) {
      case "strip" -> given -> strip(text, given, true, true);
      case "lstrip" -> given -> strip(text, given, true, false);
      case "rstrip" -> given -> strip(text, given, false, true);
      case "startswith" -> given -> any(given.single()).stream().anyMatch(text::startsWith);
      case "endswith" -> given -> any(given.single()).stream().anyMatch(text::endsWith);
      case "split" -> given -> split(text, given);
      case "splitlines" -> given -> new ArrayList<Object>(text.lines().toList());
      case "replace" -> given -> replace(text, given);
      case "upper" -> given -> text.toUpperCase(Locale.ROOT);
      case "lower" -> given -> text.toLowerCase(Locale.ROOT);
      case "title" -> given -> title(text);
      case "capitalize" -> given -> capitalize(text);
      case "find" -> given -> index(text, text.indexOf(text(given.single())));
      case "rfind" -> given -> index(text, text.lastIndexOf(text(given.single())));
      case "count" -> given -> count(text, text(given.single()));
      case "join" -> given -> join(text, Values.items(given.single()));
      case "removeprefix" ->
          given -> {
            String prefix = text(given.single());
            return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
          };
      case "removesuffix" ->
          given -> {
            String suffix = text(given.single());
            return text.endsWith(suffix)
                ? text.substring(0, text.length() - suffix.length())
                : text;
          };
      case "isdigit" -> given -> all(text, Character::isDigit);
      case "isalpha" -> given -> all(text, Character::isLetter);
      case "isalnum" -> given -> all(text, Character::isLetterOrDigit);
      case "isspace" -> given -> all(text, Character::isWhitespace);
      case "isupper" -> given -> isCase(text, true);
      case "islower" -> given -> isCase(text, false);
      default -> null;
    };
  }

  private static Callable ofMap(Map<?, ?> map, String name) {
    return switch (name) {
      case "items" ->
          given -> {
            List<Object> items = new ArrayList<>();
            map.forEach((key, value) -> items.add(new Tuple(Arrays.asList(key, Values.of(value)))));
            return items;
          };
      case "keys" -> given -> new ArrayList<Object>(map.keySet());
      case "values" -> given -> new ArrayList<Object>(map.values());
      case "get" ->
          given -> {
            Map<String, Object> values = given.of("key", "default");
            Object key = values.get("key");
            return map.containsKey(key) ? Values.of(map.get(key)) : values.get("default");
          };
      default -> refused(name, "pop", "update", "clear", "setdefault", "popitem");
    };
  }

  private static Callable ofList(List<?> list, String name) {
    return switch (name) {
      case "index" ->
          given -> {
            Object wanted = given.single();
            for (int i = 0; i < list.size(); i++) {
              if (Values.equal(list.get(i), wanted)) {
                return (long) i;
              }
            }
            throw new TemplateException(Values.shown(wanted) + " is not in the list");
          };
      case "count" ->
          given -> {
            Object wanted = given.single();
            return list.stream().filter(item -> Values.equal(item, wanted)).count();
          };
      default -> refused(name, "append", "pop", "insert", "extend", "remove", "reverse", "sort");
    };
  }

  /** A method that fails when it is called, because it would change its value. */
  private static Callable refused(String name, String... changing) {
    if (!List.of(changing).contains(name)) {
      return null;
    }
    return given -> {
      throw new TemplateException(
          "\"" + name + "\" would change a value; templates may only make new ones");
    };
  }

  private static String text(Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw Values.needed("a str", value);
  }

  /** A text, or each of a tuple of them. */
  private static List<String> any(Object value) {
    return value instanceof List<?> list
        ? list.stream().map(Methods::text).toList()
        : List.of(text(value));
  }

  static String strip(String text, Arguments given, boolean left, boolean right) {
    Object characters = given.of("chars").get("chars");
    String set = characters == null ? null : text(characters);
    IntPredicate goes = c -> set == null ? isSpace(c) : set.indexOf(c) >= 0;
    int[] points = text.codePoints().toArray();
    int from = 0;
    int to = points.length;
    while (left && from < to && goes.test(points[from])) {
      from++;
    }
    while (right && to > from && goes.test(points[to - 1])) {
      to--;
    }
    return new String(points, from, to - from);
  }

  private static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  private static List<Object> split(String text, Arguments given) {
    Map<String, Object> values = given.of("sep", "maxsplit");
    long most = values.get("maxsplit") == null ? -1 : Values.integer(values.get("maxsplit"));
    long left = most < 0 ? Long.MAX_VALUE : most;
    List<Object> parts = new ArrayList<>();
    if (values.get("sep") == null) {
      return words(text, left);
    }
    String separator = text(values.get("sep"));
    if (separator.isEmpty()) {
      throw new TemplateException("split needs a separator that is not empty");
    }
    int from = 0;
    for (int at = text.indexOf(separator);
        at >= 0 && left > 0;
        at = text.indexOf(separator, from)) {
      parts.add(text.substring(from, at));
      from = at + separator.length();
      left--;
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static List<Object> words(String text, long most) {
    List<Object> parts = new ArrayList<>();
    Arguments nothing = Arguments.none("split");
    String rest = strip(text, nothing, true, false);
    while (!rest.isEmpty()) {
      int end = 0;
      while (end < rest.length() && !isSpace(rest.charAt(end))) {
        end++;
      }
      if (parts.size() == most) {
        parts.add(rest);
        return parts;
      }
      parts.add(rest.substring(0, end));
      rest = strip(rest.substring(end), nothing, true, false);
    }
    return parts;
  }

  static String replace(String text, Arguments given) {
    Map<String, Object> values = given.of("old", "new", "count");
    String old = text(values.get("old"));
    String other = text(values.get("new"));
    Object count = values.get("count");
    if (count == null || Values.integer(count) < 0) {
      return text.replace(old, other);
    }
    String result = text;
    int from = 0;
    for (long left = Values.integer(count); left > 0; left--) {
      int at = result.indexOf(old, from);
      if (at < 0) {
        break;
      }
      result = result.substring(0, at) + other + result.substring(at + old.length());
      from = at + other.length() + (old.isEmpty() ? 1 : 0);
      if (from > result.length()) {
        break;
      }
    }
    return result;
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    return text.substring(0, first).toUpperCase(Locale.ROOT)
        + text.substring(first).toLowerCase(Locale.ROOT);
  }

  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      out.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inWord = Character.isLetter(c);
    }
    return out.toString();
  }

  private static long index(String text, int at) {
    return at < 0 ? -1 : text.codePointCount(0, at);
  }

  private static long count(String text, String part) {
    if (part.isEmpty()) {
      return Values.length(text) + 1;
    }
    long count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private static String join(String between, List<Object> items) {
    return String.join(between, items.stream().map(Methods::text).toList());
  }

  private static boolean all(String text, IntPredicate property) {
    return !text.isEmpty() && text.codePoints().allMatch(property);
  }

  private static boolean isCase(String text, boolean upper) {
    IntPredicate wrong = upper ? Character::isLowerCase : Character::isUpperCase;
    IntPredicate right = upper ? Character::isUpperCase : Character::isLowerCase;
    return text.codePoints().anyMatch(right) && text.codePoints().noneMatch(wrong);
  }
}
