package dev.apus.core.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a value holds: its members, items and parts. */
final class Members {

  private Members() {}

  /** {@code of.name}: a method, or else the item of that name. */
  static Object attribute(Object of, String name) {
    Object method = Methods.of(of, name);
    return method == null ? item(of, name) : method;
  }

  /** {@code of[key]}; something undefined if there is none. */
  static Object item(Object of, Object key) {
    return switch (of) {
      case Undefined missing -> throw Values.needed("something with the member " + key, missing);
      case Map<?, ?> map when map.containsKey(key) -> Values.of(map.get(key));
      case Namespace namespace when namespace.members().containsKey(key) ->
          namespace.members().get(key);
      case List<?> list when key instanceof Long index && isWithin(index, list.size()) ->
          Values.of(list.get(position(index, list.size())));
      case String text when key instanceof Long index && isWithin(index, Values.length(text)) ->
          Values.characters(text).get(position(index, (int) Values.length(text)));
      case null, default -> new Undefined("\"" + key + "\" of " + Values.kind(of));
    };
  }

  private static boolean isWithin(long index, long size) {
    return index < size && index >= -size;
  }

  private static int position(long index, int size) {
    return (int) (index < 0 ? index + size : index);
  }

  /** Every {@code step}-th item from one position to before another, as Python counts. */
  static Object slice(Object of, Object from, Object to, Object step) {
    return switch (of) {
      case String text -> String.join("", part(Values.characters(text), from, to, step));
      case Tuple tuple -> new Tuple(part(tuple, from, to, step));
      case List<?> list -> part(new ArrayList<Object>(list), from, to, step);
      case null, default -> throw Values.needed("a str or a list to take a part of", of);
    };
  }

  private static <T> List<T> part(List<T> list, Object from, Object to, Object step) {
    int by = step == null ? 1 : Values.count(step);
    if (by == 0) {
      throw new TemplateException("a slice cannot go in steps of 0");
    }
    int size = list.size();
    int first = bound(from, size, by > 0 ? 0 : size - 1, by);
    int end = bound(to, size, by > 0 ? size : -1, by);
    List<T> part = new ArrayList<>();
    for (long i = first; by > 0 ? i < end : i > end; i += by) {
      part.add(list.get((int) i));
    }
    return part;
  }

  private static int bound(Object given, int size, int absent, int by) {
    if (given == null) {
      return absent;
    }
    long at = Values.integer(given);
    at = at < 0 ? at + size : at;
    return by > 0 ? Math.clamp(at, 0, size) : Math.clamp(at, -1, size - 1);
  }
}
