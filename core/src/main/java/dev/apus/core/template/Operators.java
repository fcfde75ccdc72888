package dev.apus.core.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** What stands between two values. */
final class Operators {

  private Operators() {}

  static Object apply(String operator, Object a, Object b) {
    return switch (operator) {
      case "~" -> Values.text(a) + Values.text(b);
      case "+" -> plus(a, b);
      case "*" -> times(Markup.plain(a), Markup.plain(b));
      case "%" ->
          Markup.plain(a) instanceof String text ? format(text, b) : arithmetic(operator, a, b);
      default -> arithmetic(operator, a, b);
    };
  }

  private static Object plus(Object a, Object b) {
    if (a instanceof Markup markup && isText(b)) {
      return markup.plus(b);
    }
    if (b instanceof Markup markup && isText(a)) {
      return markup.after(a);
    }
    if (a instanceof String one && b instanceof String other) {
      return one + other;
    }
    if (a instanceof List<?> one && b instanceof List<?> other) {
      List<Object> both = new ArrayList<>(one);
      both.addAll(other);
      return one instanceof Tuple ? new Tuple(both) : both;
    }
    return arithmetic("+", a, b);
  }

  private static boolean isText(Object value) {
    return value instanceof String || value instanceof Markup;
  }

  private static Object times(Object a, Object b) {
    if (a instanceof String || a instanceof List) {
      return repeated(a, Values.integer(b));
    }
    if (b instanceof String || b instanceof List) {
      return repeated(b, Values.integer(a));
    }
    return arithmetic("*", a, b);
  }

  private static Object repeated(Object value, long times) {
    long count = Math.max(0, times);
    if (count * (double) Math.max(1, Values.length(value)) > Budget.CHARACTERS) {
      throw new TemplateException("it makes more than " + Budget.CHARACTERS + " characters");
    }
    if (value instanceof String text) {
      return text.repeat((int) count);
    }
    List<Object> all = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      all.addAll((List<?>) value);
    }
    return all;
  }

  private static Object arithmetic(String operator, Object a, Object b) {
    if (!Values.isNumber(a) || !Values.isNumber(b)) {
      throw new TemplateException(
          "\"" + operator + "\" does not go between " + Values.kind(a) + " and " + Values.kind(b));
    }
    if (a instanceof Double || b instanceof Double || operator.equals("/")) {
      return real(operator, Values.real(a), Values.real(b));
    }
    try {
      return whole(operator, Values.integer(a), Values.integer(b));
    } catch (ArithmeticException e) {
      throw new TemplateException(
          Values.text(a) + " " + operator + " " + Values.text(b) + ": " + e.getMessage(), e);
    }
  }

  private static Object whole(String operator, long a, long b) {
    return switch (operator) {
      case "+" -> Math.addExact(a, b);
      case "-" -> Math.subtractExact(a, b);
      case "*" -> Math.multiplyExact(a, b);
      case "//" -> Math.floorDiv(a, b);
      case "%" -> Math.floorMod(a, b);
      default -> b < 0 ? (Object) Math.pow(a, b) : power(a, b);
    };
  }

  private static long power(long base, long exponent) {
    if (base >= -1 && base <= 1) {
      return exponent == 0 || (base == -1 && exponent % 2 == 0) ? 1 : base;
    }
    long result = 1;
    for (long i = 0; i < exponent; i++) {
      result = Math.multiplyExact(result, base);
    }
    return result;
  }

  private static double real(String operator, double a, double b) {
    if (b == 0 && "//%".contains(operator)) {
      throw new TemplateException("division by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - Math.floor(a / b) * b;
      default -> Math.pow(a, b);
    };
  }

  /** The old way of filling in values: {@code "%s has %d" % (a, b)}. */
  private static String format(String text, Object given) {
    List<?> values = given instanceof Tuple tuple ? tuple : Collections.singletonList(given);
    StringBuilder out = new StringBuilder();
    int next = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '%' || i + 1 == text.length()) {
        out.append(c);
        continue;
      }
      char kind = text.charAt(++i);
      if (kind == '%') {
        out.append('%');
        continue;
      }
      if (next == values.size()) {
        throw new TemplateException("\"" + text + "\" asks for more values than it is given");
      }
      Object value = values.get(next++);
      switch (kind) {
        case 's' -> out.append(Values.text(value));
        case 'd', 'i' -> out.append((long) Values.real(value));
        case 'r' -> out.append(Values.shown(value));
        default ->
            throw new TemplateException("%" + kind + " is not supported; supported: %s %d %i %r");
      }
    }
    if (next < values.size() && !(given instanceof Map)) {
      throw new TemplateException("\"" + text + "\" does not ask for all the values it is given");
    }
    return out.toString();
  }
}
