package dev.apus.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** Variables of a chat template as a command line writes them. */
final class ChatVariables {

  private ChatVariables() {}

  /** Booleans and whole numbers are read as such, all else as text. */
  static Map<String, Object> of(Map<String, String> given) {
    Map<String, Object> variables = new LinkedHashMap<>();
    given.forEach(
        (name, value) ->
            variables.put(
                name,
                switch (value) {
                  case "true" -> true;
                  case "false" -> false;
                  default -> value.matches("-?\\d{1,18}") ? (Object) Long.valueOf(value) : value;
                }));
    return variables;
  }
}
