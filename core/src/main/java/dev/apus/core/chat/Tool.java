package dev.apus.core.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Something that a model may ask its user to do.
 *
 * @param name by which the model calls it
 * @param description what it does, for the model to read
 * @param parameters a JSON schema of an object that has its arguments
 */
public record Tool(String name, String description, String parameters) {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String NO_PARAMETERS = "{\"type\":\"object\",\"properties\":{}}";

  /** Words of schemas that say of what kind a value is, or where that is said. */
  private static final List<String> KINDS =
      List.of("type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const");

  /**
   * Checks the schema's form.
   *
   * @throws IllegalArgumentException if the parameters are no JSON object, or the name is empty
   */
  public Tool {
    if (name.isBlank()) {
      throw new IllegalArgumentException("a tool without a name");
    }
    if (!read(name, parameters).isObject()) {
      throw new IllegalArgumentException(
          "the tool "
              + name
              + ": the parameters are "
              + parameters
              + "; needed: a JSON schema, {…}");
    }
  }

  /**
   * Tools from a list as other programs write it: {@code [{"type": "function", "function": {"name":
   * …, "description": …, "parameters": {…}}}]}, or without what is around the inner objects. Tools
   * without parameters take none.
   *
   * @throws IllegalArgumentException naming the place of what is not so
   */
  public static List<Tool> list(String json) {
    JsonNode list;
    try {
      list = JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("the tools are not JSON: " + where(e), e);
    }
    if (!list.isArray()) {
      throw new IllegalArgumentException("the tools are no list; needed: [{\"name\": …}, …]");
    }
    List<Tool> tools = new ArrayList<>();
    for (JsonNode each : list) {
      JsonNode function = each.path("function").isObject() ? each.get("function") : each;
      JsonNode parameters = function.path("parameters");
      if (!function.path("name").isTextual()) {
        throw new IllegalArgumentException(
            "tool " + tools.size() + ": needed: a text under \"name\"");
      }
      String name = function.get("name").textValue();
      if (tools.stream().anyMatch(tool -> tool.name().equals(name))) {
        throw new IllegalArgumentException(
            "tool " + tools.size() + ": there is a " + name + " before");
      }
      tools.add(
          new Tool(
              name,
              function.path("description").asText(""),
              parameters.isMissingNode() ? NO_PARAMETERS : parameters.toString()));
    }
    return List.copyOf(tools);
  }

  private static JsonNode read(String name, String parameters) {
    try {
      return JSON.readTree(parameters);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "the tool " + name + ": the parameters are not JSON: " + where(e), e);
    }
  }

  private static String where(JsonProcessingException e) {
    return "line " + e.getLocation().getLineNr() + ": " + e.getOriginalMessage();
  }

  /** The parameters that are texts, by the schema. */
  Set<String> texts() {
    Set<String> texts = new HashSet<>();
    for (var each : read(name, parameters).path("properties").properties()) {
      if ("string".equals(each.getValue().path("type").textValue())) {
        texts.add(each.getKey());
      }
    }
    return texts;
  }

  /** What the arguments of a call must be, as a form of JSON. */
  AnswerForm arguments() {
    return new AnswerForm.Json(place(), schema());
  }

  /** The same, written one by one. */
  AnswerForm arguments(AnswerForm.Spelling spelling) {
    for (var each : read(name, parameters).path("properties").properties()) {
      CallSyntax.requirePlain(place() + ": its parameter " + each.getKey(), each.getKey());
    }
    Set<String> texts = spelling.quoted() ? Set.of() : texts();
    return new AnswerForm.Members(place(), schema(), texts, spelling);
  }

  private String place() {
    return "the tool " + name;
  }

  private String schema() {
    ObjectNode schema = (ObjectNode) read(name, parameters);
    // A schema that says nothing of the kind, such as {}, is of an object all the same.
    if (KINDS.stream().noneMatch(schema::has)) {
      schema.put("type", "object");
    }
    // Who says that there are parameters, and names none, wants none.
    boolean none = schema.path("properties").isObject() && schema.get("properties").isEmpty();
    if (none && !schema.has("additionalProperties") && !schema.has("patternProperties")) {
      schema.put("additionalProperties", false);
    }
    return schema.toString();
  }

  /** As templates expect it. */
  Map<String, Object> value() {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", name);
    function.put("description", description);
    function.put("parameters", JsonValues.of(read(name, parameters)));
    Map<String, Object> tool = new LinkedHashMap<>();
    tool.put("type", "function");
    tool.put("function", function);
    return tool;
  }
}
