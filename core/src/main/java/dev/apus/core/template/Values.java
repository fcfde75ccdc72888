package dev.apus.core.template;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * What values do in Python: {@code null} is None, numbers are {@code Long} and {@code Double}, text
 * is {@code String}, and the rest are lists, maps, {@link Tuple}, {@link Generated}, {@link
 * Markup}, {@link Namespace}, {@link Callable} and {@link Undefined}.
 */
final class Values {

  private Values() {}

  /** A value from outside in these terms. */
  static Object of(Object value) {
    return switch (value) {
      case null -> null;
      case Integer i -> (long) i;
      case Short i -> (long) i;
      case Byte i -> (long) i;
      case Float f -> (double) f;
      default -> value;
    };
  }

  static boolean isTrue(Object value) {
    return switch (value) {
      case null -> false;
      case Undefined u -> false;
      case Boolean b -> b;
      case Long l -> l != 0;
      case Double d -> d != 0;
      case String s -> !s.isEmpty();
      case List<?> list -> !list.isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      case Markup markup -> !markup.text().isEmpty();
      default -> true;
    };
  }

  static boolean isNumber(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  static double real(Object value) {
    return switch (value) {
      case Long l -> l;
      case Double d -> d;
      case Boolean b -> b ? 1 : 0;
      case null, default -> throw needed("a number", value);
    };
  }

  static long integer(Object value) {
    return switch (value) {
      case Long l -> l;
      case Boolean b -> b ? 1 : 0;
      case null, default -> throw needed("a whole number", value);
    };
  }

  /** A whole number that is an index or a count. */
  static int count(Object value) {
    return Math.clamp(integer(value), Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  static TemplateException needed(String what, Object value) {
    if (value instanceof Undefined missing) {
      return new TemplateException(missing.what() + " is not defined; needed: " + what);
    }
    return new TemplateException("found " + kind(value) + "; needed: " + what);
  }

  /** What kind of value it is, as Python calls it. */
  static String kind(Object value) {
    return switch (value) {
      case null -> "None";
      case Boolean b -> "a bool";
      case Long l -> "an int";
      case Double d -> "a float";
      case String s -> "a str";
      case Tuple t -> "a tuple";
      case List<?> l -> "a list";
      case Map<?, ?> m -> "a dict";
      case Markup m -> "a str";
      case Generated g -> "a generator";
      case Undefined u -> "nothing (" + u.what() + ")";
      case Namespace n -> "a namespace";
      default -> "a function";
    };
  }

  static boolean equal(Object a, Object b) {
    if (isNumber(a) && isNumber(b)) {
      return a instanceof Double || b instanceof Double
          ? real(a) == real(b)
          : integer(a) == integer(b);
    }
    if (a instanceof Undefined || b instanceof Undefined) {
      return a instanceof Undefined && b instanceof Undefined;
    }
    if (a instanceof List<?> one && b instanceof List<?> other) {
      return one.size() == other.size()
          && (one instanceof Tuple) == (other instanceof Tuple)
          && equalItems(one, other);
    }
    if (a instanceof Map<?, ?> one && b instanceof Map<?, ?> other) {
      return one.size() == other.size()
          && one.entrySet().stream()
              .allMatch(
                  entry ->
                      other.containsKey(entry.getKey())
                          && equal(entry.getValue(), other.get(entry.getKey())));
    }
    return Objects.equals(a, b);
  }

  private static boolean equalItems(List<?> one, List<?> other) {
    Iterator<?> others = other.iterator();
    return one.stream().allMatch(item -> equal(item, others.next()));
  }

  static int compare(Object a, Object b) {
    if (isNumber(a) && isNumber(b)) {
      return a instanceof Double || b instanceof Double
          ? Double.compare(real(a), real(b))
          : Long.compare(integer(a), integer(b));
    }
    if (a instanceof String one && b instanceof String other) {
      return compareCodePoints(one, other);
    }
    if (a instanceof List<?> one && b instanceof List<?> other) {
      for (int i = 0; i < Math.min(one.size(), other.size()); i++) {
        int order = equal(one.get(i), other.get(i)) ? 0 : compare(one.get(i), other.get(i));
        if (order != 0) {
          return order;
        }
      }
      return Integer.compare(one.size(), other.size());
    }
    throw new TemplateException(kind(a) + " and " + kind(b) + " have no order");
  }

  /** Java orders UTF-16, Python code points. */
  private static int compareCodePoints(String a, String b) {
    Iterator<Integer> others = b.codePoints().iterator();
    for (Iterator<Integer> it = a.codePoints().iterator(); it.hasNext() && others.hasNext(); ) {
      int order = Integer.compare(it.next(), others.next());
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  static boolean contains(Object container, Object item) {
    return switch (container) {
      case String text -> {
        if (!(item instanceof String part)) {
          throw needed("a str to look for in a str", item);
        }
        yield text.contains(part);
      }
      case List<?> list -> list.stream().anyMatch(each -> equal(each, item));
      case Map<?, ?> map -> map.containsKey(item);
      case Generated generated -> contains(generated.take(), item);
      case Undefined u -> false;
      case null, default -> throw needed("something to look in", container);
    };
  }

  /** The items that a loop goes over. */
  static List<Object> items(Object value) {
    return switch (value) {
      case Undefined u -> List.of();
      case List<?> list -> new ArrayList<>(list);
      case Map<?, ?> map -> new ArrayList<>(map.keySet());
      case String text -> new ArrayList<>(characters(text));
      case Generated generated -> generated.take();
      case Markup markup -> items(markup.text());
      case null, default -> throw needed("something to go over", value);
    };
  }

  static List<String> characters(String text) {
    return text.codePoints().mapToObj(Character::toString).toList();
  }

  static long length(Object value) {
    return switch (value) {
      case String text -> text.codePointCount(0, text.length());
      case List<?> list -> list.size();
      case Map<?, ?> map -> map.size();
      case Undefined u -> 0;
      case null, default -> throw needed("something that has a length", value);
    };
  }

  /** How a value prints. */
  static String text(Object value) {
    return switch (value) {
      case String text -> text;
      case Undefined u -> "";
      case Markup markup -> markup.text();
      case null, default -> shown(value);
    };
  }

  /** How a value looks inside a list that prints. */
  static String shown(Object value) {
    return switch (value) {
      case null -> "None";
      case Boolean b -> b ? "True" : "False";
      case Long l -> l.toString();
      case Double d -> digits(d);
      case String text -> quoted(text);
      case Undefined u -> "Undefined";
      case Tuple tuple -> joined("(", tuple, tuple.size() == 1 ? ",)" : ")");
      case List<?> list -> joined("[", list, "]");
      case Map<?, ?> map -> {
        StringBuilder all = new StringBuilder("{");
        map.forEach(
            (key, item) ->
                all.append(all.length() == 1 ? "" : ", ")
                    .append(shown(key))
                    .append(": ")
                    .append(shown(item)));
        yield all.append('}').toString();
      }
      case Markup markup -> quoted(markup.text());
      default -> throw needed("a value that prints", value);
    };
  }

  private static String joined(String begin, List<?> items, String end) {
    StringBuilder all = new StringBuilder(begin);
    for (Object item : items) {
      all.append(all.length() == 1 ? "" : ", ").append(shown(item));
    }
    return all.append(end).toString();
  }

  /** The shortest digits that are this number, as Python writes them. */
  static String digits(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal digits = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    int exponent = digits.precision() - digits.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = digits.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String unscaled = digits.unscaledValue().abs().toString();
    String fraction = unscaled.length() == 1 ? "" : "." + unscaled.substring(1);
    String sign = exponent < 0 ? "-" : "+";
    String power = (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    return (value < 0 ? "-" : "") + unscaled.charAt(0) + fraction + "e" + sign + power;
  }

  private static String quoted(String text) {
    char quote = text.contains("'") && !text.contains("\"") ? '"' : '\'';
    StringBuilder all = new StringBuilder().append(quote);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> all.append("\\n");
                case '\r' -> all.append("\\r");
                case '\t' -> all.append("\\t");
                case '\\' -> all.append("\\\\");
                default -> {
                  if (c == quote) {
                    all.append('\\').append(quote);
                  } else if (c < ' ' || c == 0x7f) {
                    all.append(String.format(Locale.ROOT, "\\x%02x", c));
                  } else {
                    all.appendCodePoint(c);
                  }
                }
              }
            });
    return all.append(quote).toString();
  }
}
