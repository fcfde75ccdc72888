package dev.apus.core.json;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A JSON object: its members in the order of the text.
 *
 * <p>A value is a {@code JsonObject}, a {@code List}, a {@code String}, a {@code Long} or, where
 * that is too small, a {@code BigInteger}, a {@code Double} or, where that is too small, a {@code
 * BigDecimal}, a {@code Boolean}, or null.
 *
 * @param line the line on which the object starts; 0 if it was not read from a text
 */
public record JsonObject(Map<String, Member> members, int line) {

  /**
   * @param line the line of the key; 0 if it was not read from a text
   */
  public record Member(Object value, int line) {}

  /** The members as plain Java values, nested objects as maps. */
  public Map<String, Object> plain() {
    Map<String, Object> values = new LinkedHashMap<>();
    members.forEach((key, member) -> values.put(key, plain(member.value())));
    return Collections.unmodifiableMap(values);
  }

  /** {@code value} with every {@code JsonObject} in it turned into a map. */
  public static Object plain(Object value) {
    return switch (value) {
      case JsonObject object -> object.plain();
      case List<?> list ->
          Collections.unmodifiableList(list.stream().map(JsonObject::plain).toList());
      case null, default -> value;
    };
  }
}
