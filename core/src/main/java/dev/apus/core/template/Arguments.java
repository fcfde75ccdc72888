package dev.apus.core.template;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The values that a function, a filter or a method is given. */
final class Arguments {

  private final String function;
  private final List<Object> inOrder;
  private final Map<String, Object> named;

  Arguments(String function, List<Object> inOrder, Map<String, Object> named) {
    this.function = function;
    this.inOrder = inOrder;
    this.named = named;
  }

  static Arguments none(String function) {
    return new Arguments(function, List.of(), Map.of());
  }

  List<Object> inOrder() {
    return inOrder;
  }

  Map<String, Object> named() {
    return named;
  }

  /**
   * The values of parameters by their names; those that are absent have no entry.
   *
   * @throws TemplateException if there are more values than parameters, or others
   */
  Map<String, Object> of(List<String> parameters) {
    if (inOrder.size() > parameters.size()) {
      throw new TemplateException(
          function + " takes " + parameters.size() + " values at most, not " + inOrder.size());
    }
    Map<String, Object> values = new LinkedHashMap<>();
    for (int i = 0; i < inOrder.size(); i++) {
      values.put(parameters.get(i), inOrder.get(i));
    }
    named.forEach(
        (name, value) -> {
          if (!parameters.contains(name)) {
            throw new TemplateException(
                function + " has no parameter \"" + name + "\"; it has " + parameters);
          }
          if (values.containsKey(name)) {
            throw new TemplateException(function + " is given \"" + name + "\" twice");
          }
          values.put(name, value);
        });
    return values;
  }

  /** The same for a function of these parameters. */
  Map<String, Object> of(String... parameters) {
    return of(List.of(parameters));
  }

  /** The only value. */
  Object single() {
    if (inOrder.size() != 1 || !named.isEmpty()) {
      throw new TemplateException(function + " takes one value");
    }
    return inOrder.getFirst();
  }

  /** What is left after the first value. */
  Arguments rest(String of) {
    return new Arguments(of, inOrder.subList(1, inOrder.size()), named);
  }

  /** The first value. */
  Object first() {
    if (inOrder.isEmpty()) {
      throw new TemplateException(function + " needs a value");
    }
    return inOrder.getFirst();
  }
}
