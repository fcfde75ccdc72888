package dev.apus.core.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One pluggable part of a model, by the name its module gives it, with that module's own settings.
 */
public record Part(String type, Map<String, Object> settings) {

  public Part {
    settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
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
}
