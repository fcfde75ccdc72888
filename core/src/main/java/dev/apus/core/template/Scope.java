package dev.apus.core.template;

import java.util.HashMap;
import java.util.Map;

/** The names that a part of a template knows. */
final class Scope {

  private final Scope outer;
  private final Map<String, Object> names = new HashMap<>();

  Scope(Scope outer) {
    this.outer = outer;
  }

  void set(String name, Object value) {
    names.put(name, value);
  }

  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      if (scope.names.containsKey(name)) {
        return scope.names.get(name);
      }
    }
    return new Undefined("\"" + name + "\"");
  }
}
