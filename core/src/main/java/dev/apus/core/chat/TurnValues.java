package dev.apus.core.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** A turn as templates expect it. */
final class TurnValues {

  private static final ObjectMapper JSON = new ObjectMapper();

  private TurnValues() {}

  /**
   * The turn.
   *
   * @param text what becomes of all that somebody, or a model, has written
   */
  static Map<String, Object> of(Message message, UnaryOperator<String> text) {
    Map<String, Object> turn = new LinkedHashMap<>();
    turn.put("role", text.apply(message.role()));
    turn.put("content", text.apply(message.content()));
    if (!message.reasoning().isEmpty()) {
      // Templates have two names for it.
      turn.put("reasoning_content", text.apply(message.reasoning()));
      turn.put("thinking", text.apply(message.reasoning()));
    }
    if (!message.calls().isEmpty()) {
      turn.put("tool_calls", message.calls().stream().map(call -> call(call, text)).toList());
    }
    if (message.answers() != null) {
      turn.put("tool_call_id", text.apply(message.answers().id()));
      turn.put("name", text.apply(message.answers().name()));
    }
    return turn;
  }

  private static Map<String, Object> call(ToolCall call, UnaryOperator<String> text) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", text.apply(call.name()));
    function.put("arguments", arguments(call, text));
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("type", "function");
    value.put("id", text.apply(call.id()));
    value.put("function", function);
    return value;
  }

  private static Object arguments(ToolCall call, UnaryOperator<String> text) {
    try {
      return mapped(JsonValues.of(JSON.readTree(call.arguments())), text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "the call of " + call.name() + ": its arguments are not JSON: " + e.getOriginalMessage(),
          e);
    }
  }

  /** A value with all texts in it, names of members too, as something makes them. */
  static Object mapped(Object value, UnaryOperator<String> text) {
    return switch (value) {
      case String string -> text.apply(string);
      case List<?> list -> list.stream().map(each -> mapped(each, text)).toList();
      case Map<?, ?> map -> {
        Map<String, Object> all = new LinkedHashMap<>();
        map.forEach((key, each) -> all.put(text.apply((String) key), mapped(each, text)));
        yield all;
      }
      case null, default -> value;
    };
  }
}
