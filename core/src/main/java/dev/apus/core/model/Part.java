package dev.apus.core.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One pluggable part of a model, by the name its module gives it, with that module's own settings.
 */
public record Part(String type, Map<String, Object> settings) {

  public Part {
    settings = canonical(settings);
  }

  public static Part of(String type) {
    return new Part(type, Map.of());
  }

  /** This part with one more setting. */
  public Part with(String setting, Object value) {
    var more = new LinkedHashMap<>(settings);
    more.put(setting, value);
    return new Part(type, more);
  }

  /**
   * The same values in the types that reading their JSON gives, so that equal settings are equal.
   */
  private static Map<String, Object> canonical(Map<?, ?> settings) {
    Map<String, Object> values = new LinkedHashMap<>();
    settings.forEach((key, value) -> values.put((String) key, canonical(value)));
    return Collections.unmodifiableMap(values);
  }

  private static Object canonical(Object value) {
    return switch (value) {
      case Float f -> Double.valueOf(f.toString());
      case Long n when n == n.intValue() -> n.intValue();
      case Map<?, ?> map -> canonical(map);
      case List<?> list -> list.stream().map(Part::canonical).toList();
      default -> value;
    };
  }
}
