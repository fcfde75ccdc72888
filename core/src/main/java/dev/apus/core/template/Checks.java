package dev.apus.core.template;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The tests that follow {@code is}. */
final class Checks {

  private Checks() {}

  static boolean apply(String test, Arguments given) {
    Object value = given.first();
    return switch (test) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == null;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "boolean" -> value instanceof Boolean;
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "number" -> Values.isNumber(value);
      case "string" -> value instanceof String;
      case "mapping" -> value instanceof Map;
      case "sequence" -> value instanceof String || value instanceof List || value instanceof Map;
      case "iterable" ->
          value instanceof String
              || value instanceof List
              || value instanceof Map
              || value instanceof Generated
              || value instanceof Undefined;
      case "callable" -> value instanceof Callable;
      case "odd" -> Math.floorMod(Values.integer(value), 2) == 1;
      case "even" -> Math.floorMod(Values.integer(value), 2) == 0;
      case "divisibleby" -> Values.integer(value) % Values.integer(other(given)) == 0;
      case "lower" -> Values.text(value).equals(Values.text(value).toLowerCase(Locale.ROOT));
      case "upper" -> Values.text(value).equals(Values.text(value).toUpperCase(Locale.ROOT));
      case "equalto", "eq", "==" -> Values.equal(value, other(given));
      case "ne", "!=" -> !Values.equal(value, other(given));
      case "lt", "lessthan", "<" -> Values.compare(value, other(given)) < 0;
      case "le", "<=" -> Values.compare(value, other(given)) <= 0;
      case "gt", "greaterthan", ">" -> Values.compare(value, other(given)) > 0;
      case "ge", ">=" -> Values.compare(value, other(given)) >= 0;
      case "in" -> Values.contains(other(given), value);
      case "sameas" -> value == other(given) || Values.equal(value, other(given));
      default -> throw new TemplateException("there is no test \"" + test + "\"");
    };
  }

  private static Object other(Arguments given) {
    if (given.inOrder().size() != 2) {
      throw new TemplateException("the test needs one value to compare with");
    }
    return given.inOrder().get(1);
  }
}
