package dev.apus.core.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
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

  private static final Pattern FUNCTION =
      Pattern.compile(
          "<(?:function=|invoke name=\"?)([^>\"]+)\"?>(.*?)(?:</function>|</invoke>|$)",
          Pattern.DOTALL);
  private static final Pattern PARAMETER =
      Pattern.compile(
          "<parameter(?:=| name=\"?)([^>\"]+)\"?>(.*?)(?:</parameter>|(?=<parameter[= ])|$)",
          Pattern.DOTALL);
  private static final Pattern KEY_AND_VALUE =
      Pattern.compile("<arg_key>(.*?)</arg_key>\\s*<arg_value>(.*?)</arg_value>", Pattern.DOTALL);
  private static final Pattern FENCED =
      Pattern.compile("```(?:json)?\\s*(.*?)\\s*```", Pattern.DOTALL);
  private static final Pattern DOTTED =
      Pattern.compile("(?:functions\\.)?([\\w.-]+):(\\d+)\\s*", Pattern.DOTALL);

  private final List<Tool> tools;

  CallFormat(List<Tool> tools) {
    this.tools = tools;
  }

  /** The calls that a text between two marks holds; empty if it holds anything else. */
  Optional<List<Named>> read(String body) {
    String text = body.strip();
    if (text.startsWith("<function=") || text.startsWith("<invoke name=")) {
      return functions(text);
    }
    if (text.contains("<arg_key>") || text.matches("[\\w.-]+")) {
      return keysAndValues(text);
    }
    for (String separator : List.of("<｜tool▁sep｜>", "<|tool_call_argument_begin|>", "[ARGS]")) {
      if (text.contains(separator)) {
        return named(text, separator);
      }
    }
    Optional<List<Named>> json = json(text);
    return json.isPresent() ? json : PythonCalls.read(text);
  }

  /** Arguments alone, of a call whose name is known. */
  Optional<List<Named>> read(String name, String arguments) {
    return tree(arguments)
        .filter(JsonNode::isObject)
        .map(node -> List.of(new Named(null, name, node.toString())));
  }

  private static Optional<JsonNode> tree(String text) {
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

  /**
   * {@code <function=name><parameter=key>value</parameter></function>}, or JSON within, or the same
   * as {@code <invoke name="name"><parameter name="key">}.
   */
  private Optional<List<Named>> functions(String text) {
    List<Named> calls = new ArrayList<>();
    Matcher function = FUNCTION.matcher(text);
    while (function.find()) {
      String name = function.group(1).strip();
      String inner = function.group(2).strip();
      if (inner.startsWith("{")) {
        Optional<List<Named>> json = read(name, inner);
        if (json.isEmpty()) {
          return json;
        }
        calls.addAll(json.get());
        continue;
      }
      ObjectNode arguments = JSON.createObjectNode();
      Matcher parameter = PARAMETER.matcher(inner);
      while (parameter.find()) {
        String value = parameter.group(2).replaceFirst("^\\n", "").replaceFirst("\\n$", "");
        put(arguments, name, parameter.group(1).strip(), value);
      }
      calls.add(new Named(null, name, arguments.toString()));
    }
    return calls.isEmpty() ? Optional.empty() : Optional.of(calls);
  }

  /**
   * A name, and then {@code <arg_key>key</arg_key><arg_value>value</arg_value>} again and again.
   */
  private Optional<List<Named>> keysAndValues(String text) {
    int from = text.indexOf("<arg_key>");
    String name = (from < 0 ? text : text.substring(0, from)).strip();
    ObjectNode arguments = JSON.createObjectNode();
    Matcher matcher = KEY_AND_VALUE.matcher(text);
    while (matcher.find()) {
      put(arguments, name, matcher.group(1).strip(), matcher.group(2));
    }
    return name.isEmpty()
        ? Optional.empty()
        : Optional.of(List.of(new Named(null, name, arguments.toString())));
  }

  /** A value that is written without quotes is a text if the tool takes one there, or else JSON. */
  private void put(ObjectNode arguments, String tool, String key, String value) {
    boolean text = tools.stream().anyMatch(each -> each.name().equals(tool) && each.takesText(key));
    Optional<JsonNode> json = text ? Optional.empty() : tree(value.strip());
    if (json.isPresent()) {
      arguments.set(key, json.get());
    } else {
      arguments.put(key, value);
    }
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
