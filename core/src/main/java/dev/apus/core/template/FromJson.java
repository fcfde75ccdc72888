package dev.apus.core.template;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Values from JSON text. */
final class FromJson {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private FromJson() {}

  static Object read(String text) {
    try {
      return inner(MAPPER.readValue(text, Object.class));
    } catch (JsonProcessingException e) {
      throw new TemplateException("the text is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  /** A value with everything in it as {@link Values} has it. */
  static Object inner(Object value) {
    return switch (value) {
      case Map<?, ?> map -> {
        Map<Object, Object> copy = new LinkedHashMap<>();
        map.forEach((key, item) -> copy.put(key, inner(item)));
        yield copy;
      }
      case List<?> list -> {
        List<Object> copy = new ArrayList<>();
        list.forEach(item -> copy.add(inner(item)));
        yield copy;
      }
      case null, default -> Values.of(value);
    };
  }
}
