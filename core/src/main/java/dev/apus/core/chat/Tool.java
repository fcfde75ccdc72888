package dev.apus.core.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Something that a model may ask its user to do.
 *
 * @param name by which the model calls it
 * @param description what it does, for the model to read
 * @param parameters a JSON schema of an object that has its arguments
 */
public record Tool(String name, String description, String parameters) {

  private static final ObjectMapper JSON = new ObjectMapper();

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

  private static JsonNode read(String name, String parameters) {
    try {
      return JSON.readTree(parameters);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "the tool " + name + ": the parameters are not JSON: " + e.getMessage(), e);
    }
  }

  /** Whether a parameter is a text, by the schema. */
  boolean takesText(String parameter) {
    JsonNode type = read(name, parameters).path("properties").path(parameter).path("type");
    return "string".equals(type.textValue());
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
