package dev.apus.core.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** The filters of values. */
final class Filters {

  private Filters() {}

  /**
   * What a filter makes of the first of these values.
   *
   * @throws TemplateException if it cannot, or there is no such filter
   */
  static Object apply(String filter, Arguments given) {
    Object value = given.first();
    return switch (filter) {
      case "default", "d" -> withDefault(given);
      case "tojson" -> JsonText.write(given);
      case "string" -> Values.text(given.single());
      case "safe" -> new Markup(Values.text(given.single()));
      case "length", "count" -> Values.length(given.single());
      case "trim" -> Methods.strip(Values.text(value), given.rest(filter), true, true);
      case "upper" -> Values.text(given.single()).toUpperCase(Locale.ROOT);
      case "lower" -> Values.text(given.single()).toLowerCase(Locale.ROOT);
      case "capitalize" -> Methods.capitalize(Values.text(given.single()));
      case "title" -> title(Values.text(given.single()));
      case "replace" -> Methods.replace(Values.text(value), given.rest(filter));
      case "indent" -> indent(given);
      case "join" -> join(given);
      case "list" -> Values.items(given.single());
      case "first" -> first(given.single());
      case "last" -> last(given.single());
      case "reverse" -> reversed(given.single());
      case "unique" -> Generated.of(unique(given));
      case "sort" -> sorted(given);
      case "min" -> extreme(given.single(), Values::compare);
      case "max" -> extreme(given.single(), (a, b) -> Values.compare(b, a));
      case "sum" -> sum(given);
      case "map" -> Generated.of(map(given));
      case "select" -> Generated.of(kept(given, true));
      case "reject" -> Generated.of(kept(given, false));
      case "selectattr" -> Generated.of(keptByMember(given, true));
      case "rejectattr" -> Generated.of(keptByMember(given, false));
      case "groupby" -> groups(given);
      case "items" ->
          Generated.of(
              Values.items(Methods.of(mapping(value), "items").call(Arguments.none(filter))));
      case "dictsort" -> dictSorted(given);
      case "int" -> integer(given);
      case "float" -> real(given);
      case "abs" -> value instanceof Double d ? (Object) Math.abs(d) : Math.abs(integerOf(value));
      case "round" -> round(given);
      case "escape", "e" -> new Markup(Markup.escape(Values.text(given.single())));
      case "from_json", "fromjson" -> FromJson.read(Values.text(given.single()));
      default -> throw new TemplateException("there is no filter \"" + filter + "\"");
    };
  }

  private static Object withDefault(Arguments given) {
    Map<String, Object> values = given.of("value", "default_value", "boolean");
    Object value = values.get("value");
    boolean falseToo = Values.isTrue(values.get("boolean"));
    boolean absent = value instanceof Undefined || (falseToo && !Values.isTrue(value));
    return absent ? values.getOrDefault("default_value", "") : value;
  }

  private static String indent(Arguments given) {
    Map<String, Object> values = given.of("s", "width", "first", "blank");
    Object width = values.getOrDefault("width", 4L);
    String step =
        width instanceof String text ? text : " ".repeat(Math.clamp(Values.count(width), 0, 256));
    boolean blank = Values.isTrue(values.get("blank"));
    String[] lines = Values.text(values.get("s")).split("\n", -1);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < lines.length; i++) {
      boolean indented = i == 0 ? Values.isTrue(values.get("first")) : blank || !lines[i].isEmpty();
      out.append(i == 0 ? "" : "\n").append(indented ? step : "").append(lines[i]);
    }
    return out.toString();
  }

  private static String join(Arguments given) {
    Map<String, Object> values = given.of("value", "d", "attribute");
    Object member = values.get("attribute");
    return String.join(
        Values.text(values.getOrDefault("d", "")),
        Values.items(values.get("value")).stream()
            .map(item -> Values.text(member == null ? item : member(item, member)))
            .toList());
  }

  private static Object first(Object value) {
    var items = value instanceof Generated made ? made.items() : Values.items(value).iterator();
    return items.hasNext() ? items.next() : new Undefined("the first of nothing");
  }

  private static Object last(Object value) {
    if (value instanceof Generated) {
      throw Values.needed("something with an end", value);
    }
    List<Object> items = Values.items(value);
    return items.isEmpty() ? new Undefined("the last of nothing") : items.getLast();
  }

  private static Object reversed(Object value) {
    return value instanceof String text
        ? new StringBuilder(text).reverse().toString()
        : Generated.of(Values.items(value).reversed());
  }

  private static List<Object> unique(Arguments given) {
    Map<String, Object> values = given.of("value", "case_sensitive", "attribute");
    List<Object> seen = new ArrayList<>();
    List<Object> result = new ArrayList<>();
    boolean cased = Values.isTrue(values.get("case_sensitive"));
    for (Object item : Values.items(values.get("value"))) {
      Object key = key(item, values.get("attribute"), cased);
      if (seen.stream().noneMatch(other -> Values.equal(other, key))) {
        seen.add(key);
        result.add(item);
      }
    }
    return result;
  }

  private static List<Object> sorted(Arguments given) {
    Map<String, Object> values = given.of("value", "reverse", "case_sensitive", "attribute");
    boolean cased = Values.isTrue(values.get("case_sensitive"));
    Comparator<Object> order =
        (a, b) ->
            Values.compare(
                key(a, values.get("attribute"), cased), key(b, values.get("attribute"), cased));
    List<Object> items = new ArrayList<>(Values.items(values.get("value")));
    items.sort(Values.isTrue(values.get("reverse")) ? order.reversed() : order);
    return items;
  }

  private static Object key(Object item, Object member, boolean cased) {
    Object key = member == null ? item : member(item, member);
    return !cased && key instanceof String text ? text.toLowerCase(Locale.ROOT) : key;
  }

  private static Object extreme(Object value, Comparator<Object> order) {
    return Values.items(value).stream()
        .min(order)
        .orElse(new Undefined("an item of something empty"));
  }

  private static Object sum(Arguments given) {
    Map<String, Object> values = given.of("value", "attribute", "start");
    Object sum = values.getOrDefault("start", 0L);
    for (Object item : Values.items(values.get("value"))) {
      Object member = values.get("attribute");
      sum = Operators.apply("+", sum, member == null ? item : member(item, member));
    }
    return sum;
  }

  /** A member by its path: names and numbers with dots between. */
  private static Object member(Object of, Object path) {
    Object value = of;
    for (String name : Values.text(path).split("\\.")) {
      boolean number = !name.isEmpty() && name.chars().allMatch(Character::isDigit);
      value = Members.item(value, number ? (Object) Long.parseLong(name) : name);
    }
    return value;
  }

  /** The items of the first value, none if that is nothing of any kind. */
  private static List<Object> itemsOrNone(Arguments given) {
    Object value = given.first();
    return Values.isTrue(value) ? Values.items(value) : List.of();
  }

  private static List<Object> map(Arguments given) {
    List<Object> items = itemsOrNone(given);
    List<Object> result = new ArrayList<>();
    Object member = given.named().get("attribute");
    if (member == null && given.inOrder().size() < 2) {
      throw new TemplateException("map needs the name of a filter, or attribute=…");
    }
    for (Object item : items) {
      if (member == null) {
        String filter = Values.text(given.inOrder().get(1));
        result.add(apply(filter, with(filter, item, given, 2)));
      } else {
        Object value = member(item, member);
        result.add(
            value instanceof Undefined ? given.named().getOrDefault("default", value) : value);
      }
    }
    return result;
  }

  /** The values from some place on, with another one first. */
  private static Arguments with(String function, Object first, Arguments given, int from) {
    List<Object> all = new ArrayList<>(Collections.singletonList(first));
    all.addAll(given.inOrder().subList(from, given.inOrder().size()));
    return new Arguments(function, all, given.named());
  }

  private static List<Object> kept(Arguments given, boolean wanted) {
    boolean tested = given.inOrder().size() > 1;
    return itemsOrNone(given).stream()
        .filter(
            item -> {
              if (!tested) {
                return Values.isTrue(item) == wanted;
              }
              String test = Values.text(given.inOrder().get(1));
              return Checks.apply(test, with(test, item, given, 2)) == wanted;
            })
        .toList();
  }

  private static List<Object> keptByMember(Arguments given, boolean wanted) {
    if (given.inOrder().size() < 2) {
      throw new TemplateException("selectattr and rejectattr need the name of a member");
    }
    Object path = given.inOrder().get(1);
    boolean tested = given.inOrder().size() > 2;
    Predicate<Object> holds =
        item -> {
          Object value = member(item, path);
          if (!tested) {
            return Values.isTrue(value);
          }
          String test = Values.text(given.inOrder().get(2));
          return Checks.apply(test, with(test, value, given, 3));
        };
    return itemsOrNone(given).stream().filter(i -> holds.test(i) == wanted).toList();
  }

  private static List<Object> groups(Arguments given) {
    Map<String, Object> values = given.of("value", "attribute", "default");
    Object path = values.get("attribute");
    List<Object> items = new ArrayList<>(Values.items(values.get("value")));
    items.sort((a, b) -> Values.compare(member(a, path), member(b, path)));
    List<Object> groups = new ArrayList<>();
    List<Object> group = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      group.add(items.get(i));
      Object key = member(items.get(i), path);
      if (i + 1 == items.size() || !Values.equal(key, member(items.get(i + 1), path))) {
        groups.add(new Tuple(Arrays.asList(key, group)));
        group = new ArrayList<>();
      }
    }
    return groups;
  }

  private static Map<?, ?> mapping(Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    if (value instanceof Undefined) {
      return Map.of();
    }
    throw Values.needed("a dict", value);
  }

  private static List<Object> dictSorted(Arguments given) {
    Map<String, Object> values = given.of("value", "case_sensitive", "by", "reverse");
    int by = "value".equals(values.get("by")) ? 1 : 0;
    boolean cased = Values.isTrue(values.get("case_sensitive"));
    Comparator<Object> order =
        (a, b) ->
            Values.compare(
                key(((List<?>) a).get(by), null, cased), key(((List<?>) b).get(by), null, cased));
    List<Object> items = new ArrayList<>();
    mapping(values.get("value"))
        .forEach((key, value) -> items.add(new Tuple(Arrays.asList(key, Values.of(value)))));
    items.sort(Values.isTrue(values.get("reverse")) ? order.reversed() : order);
    return items;
  }

  private static long integerOf(Object value) {
    return Values.integer(value);
  }

  private static Object integer(Arguments given) {
    Map<String, Object> values = given.of("value", "default", "base");
    Object absent = values.getOrDefault("default", 0L);
    Object value = values.get("value");
    if (Values.isNumber(value)) {
      return (long) Values.real(value);
    }
    if (!(value instanceof String text)) {
      return absent;
    }
    int base = values.get("base") == null ? 10 : Values.count(values.get("base"));
    try {
      return Long.parseLong(text.strip(), base);
    } catch (NumberFormatException e) {
      Object real = parsed(text);
      return real == null ? absent : (Object) (long) Values.real(real);
    }
  }

  private static Object real(Arguments given) {
    Map<String, Object> values = given.of("value", "default");
    Object value = values.get("value");
    Object absent = values.getOrDefault("default", 0.0);
    if (Values.isNumber(value)) {
      return Values.real(value);
    }
    Object parsed = value instanceof String text ? parsed(text) : null;
    return parsed == null ? absent : parsed;
  }

  /** The number that a text is, or null. */
  private static Double parsed(String text) {
    try {
      return Double.valueOf(text.strip());
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** Words begin after white space, a hyphen or an opening bracket. */
  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean begins = true;
    for (int c : text.codePoints().toArray()) {
      out.appendCodePoint(begins ? Character.toUpperCase(c) : Character.toLowerCase(c));
      begins = Character.isWhitespace(c) || "-({[<".indexOf(c) >= 0;
    }
    return out.toString();
  }

  private static Object round(Arguments given) {
    Map<String, Object> values = given.of("value", "precision", "method");
    Object precision = values.get("precision");
    double scale = Math.pow(10, precision == null ? 0 : Values.integer(precision));
    double scaled = Values.real(values.get("value")) * scale;
    return switch (Values.text(values.getOrDefault("method", "common"))) {
      case "ceil" -> (Object) (Math.ceil(scaled) / scale);
      case "floor" -> Math.floor(scaled) / scale;
      default ->
          values.get("value") instanceof Long whole && scale >= 1
              ? whole
              : (Object) (Math.rint(scaled) / scale);
    };
  }
}
