package dev.apus.core.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads calls of tools from what models write between their marks. */
final class CallFormat {

  /** A call without an id. */
  record Named(String id, String name, String arguments) {}

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final Pattern FENCED =
      Pattern.compile("```(?:json)?\\s*(.*?)\\s*```", Pattern.DOTALL);
  private static final Pattern DOTTED =
      Pattern.compile("(?:functions\\.)?([\\w.-]+):(\\d+)\\s*", Pattern.DOTALL);

  private final List<Tool> tools;

  CallFormat(List<Tool> tools) {
    this.tools = tools;
  }

  /**
   * The calls that a text between two marks holds; empty if it holds anything else.
   *
   * @param sure whether a text that may be a part of a longer one is none
   */
  Optional<List<Named>> read(String body, boolean sure) {
    String text = body.strip();
    boolean tagged =
        text.startsWith("<function=")
            || text.startsWith("<invoke name=")
            || text.contains("<arg_key>")
            || text.matches("[\\w.-]+");
    if (tagged) {
      return TaggedCalls.read(text, this::takesText, sure);
    }
    for (String separator : List.of("<｜tool▁sep｜>", "<|tool_call_argument_begin|>", "[ARGS]")) {
      if (text.contains(separator)) {
        return named(text, separator);
      }
    }
    Optional<List<Named>> json = json(text);
    return json.isPresent() ? json : PythonCalls.read(text);
  }

  private boolean takesText(String tool, String parameter) {
    return tools.stream()
        .anyMatch(each -> each.name().equals(tool) && each.texts().contains(parameter));
  }

  /** Arguments alone, of a call whose name is known. */
  Optional<List<Named>> read(String name, String arguments) {
    return tree(arguments)
        .filter(JsonNode::isObject)
        .map(node -> List.of(new Named(null, name, node.toString())));
  }

  static Optional<JsonNode> tree(String text) {
    try {
      return Optional.of(JSON.readTree(text)).filter(node -> !node.isMissingNode());
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** An object, a list of objects, or objects with semicolons between them. */
  private static Optional<List<Named>> json(String text) {
    Optional<JsonNode> whole = tree(text);
    if (whole.isEmpty() && text.contains("};")) {
      List<Named> calls = new ArrayList<>();
      for (String each : text.split("(?<=\\});\\s*")) {
        Optional<List<Named>> some = json(each);
        if (some.isEmpty()) {
          return some;
        }
        calls.addAll(some.get());
      }
      return Optional.of(calls);
    }
    return whole.flatMap(CallFormat::objects);
  }

  private static Optional<List<Named>> objects(JsonNode node) {
    List<Named> calls = new ArrayList<>();
    for (JsonNode each : node.isArray() ? node : List.of(node)) {
      JsonNode call = each.path("function").isObject() ? each.get("function") : each;
      String name = first(call, "name", "tool_name", "function").asText("");
      JsonNode arguments = first(call, "arguments", "parameters");
      if (arguments.isTextual()) {
        arguments = tree(arguments.textValue()).orElse(arguments);
      }
      if (arguments.isMissingNode() || arguments.isNull()) {
        arguments = JSON.createObjectNode();
      }
      if (name.isEmpty() || !arguments.isObject()) {
        return Optional.empty();
      }
      String id = first(each, "id", "tool_call_id").asText(null);
      calls.add(new Named(id, name, arguments.toString()));
    }
    return calls.isEmpty() ? Optional.empty() : Optional.of(calls);
  }

  private static JsonNode first(JsonNode node, String... keys) {
    for (String key : keys) {
      if (node.has(key)) {
        return node.get(key);
      }
    }
    return node.path(keys[0]);
  }

  /** A name and arguments with a mark between them. */
  private Optional<List<Named>> named(String text, String separator) {
    List<Named> calls = new ArrayList<>();
    for (String each : text.split(Pattern.quote("[TOOL_CALLS]"))) {
      int at = each.indexOf(separator);
      if (at < 0) {
        return Optional.empty();
      }
      String name = each.substring(0, at).strip();
      String rest = each.substring(at + separator.length()).strip();
      String id = null;
      if (name.equals("function") && rest.contains("\n")) {
        name = rest.substring(0, rest.indexOf('\n')).strip();
        rest = rest.substring(rest.indexOf('\n')).strip();
      }
      if (name.contains("[CALL_ID]")) {
        id = name.substring(name.indexOf("[CALL_ID]") + "[CALL_ID]".length());
        name = name.substring(0, name.indexOf("[CALL_ID]"));
      }
      Matcher dotted = DOTTED.matcher(name);
      if (separator.startsWith("<|tool_call_arg") && dotted.matches()) {
        id = name;
        name = dotted.group(1);
      }
      Matcher fenced = FENCED.matcher(rest);
      Optional<List<Named>> call = read(name, fenced.matches() ? fenced.group(1) : rest);
      if (call.isEmpty() || name.isEmpty()) {
        return Optional.empty();
      }
      calls.add(new Named(id, name, call.get().getFirst().arguments()));
    }
    return Optional.of(calls);
  }
}
