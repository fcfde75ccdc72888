package dev.apus.structure;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The words of JSON schemas: which are honoured, which mean nothing here, and which are refused.
 */
final class Keywords {

  /** The types of values. */
  enum Type {
    STRING,
    NUMBER,
    INTEGER,
    OBJECT,
    ARRAY,
    BOOLEAN,
    NULL;

    static Type of(String name) {
      for (Type type : values()) {
        if (type.name().equalsIgnoreCase(name) && name.equals(name.toLowerCase(Locale.ROOT))) {
          return type;
        }
      }
      return null;
    }
  }

  private static final Set<String> ANNOTATIONS =
      Set.of(
          "title",
          "description",
          "default",
          "example",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "$schema",
          "$id",
          "id",
          "$comment",
          "$defs",
          "definitions");

  /** Of which type each word speaks; null where it speaks of all. */
  private static final Map<String, Type> SPOKEN_OF =
      Map.ofEntries(
          Map.entry("properties", Type.OBJECT),
          Map.entry("required", Type.OBJECT),
          Map.entry("additionalProperties", Type.OBJECT),
          Map.entry("patternProperties", Type.OBJECT),
          Map.entry("minProperties", Type.OBJECT),
          Map.entry("maxProperties", Type.OBJECT),
          Map.entry("items", Type.ARRAY),
          Map.entry("prefixItems", Type.ARRAY),
          Map.entry("minItems", Type.ARRAY),
          Map.entry("maxItems", Type.ARRAY),
          Map.entry("uniqueItems", Type.ARRAY),
          Map.entry("pattern", Type.STRING),
          Map.entry("format", Type.STRING),
          Map.entry("minLength", Type.STRING),
          Map.entry("maxLength", Type.STRING),
          Map.entry("minimum", Type.NUMBER),
          Map.entry("maximum", Type.NUMBER),
          Map.entry("exclusiveMinimum", Type.NUMBER),
          Map.entry("exclusiveMaximum", Type.NUMBER));

  private static final Set<String> OF_ALL_TYPES =
      Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

  private Keywords() {}

  static boolean isAnnotation(String word) {
    return ANNOTATIONS.contains(word);
  }

  /**
   * Makes sure that everything in a schema is honoured.
   *
   * @throws StructureException naming the first word that is not
   */
  static void requireKnown(Schema schema) {
    schema
        .node()
        .fieldNames()
        .forEachRemaining(
            word -> {
              if (!isAnnotation(word)
                  && !OF_ALL_TYPES.contains(word)
                  && !SPOKEN_OF.containsKey(word)) {
                throw schema.wrong(word, "this keyword is not supported");
              }
            });
    JsonNode unique = schema.node().get("uniqueItems");
    if (unique != null && !(unique.isBoolean() && !unique.booleanValue())) {
      throw schema.wrong("uniqueItems", "items that differ are not supported; only false is");
    }
  }

  /** The types that a schema speaks of; all, if it speaks of none. */
  static Set<Type> types(Schema schema) {
    JsonNode given = schema.node().get("type");
    Set<Type> types = EnumSet.noneOf(Type.class);
    if (given == null) {
      schema.node().fieldNames().forEachRemaining(word -> add(types, SPOKEN_OF.get(word)));
      return types.isEmpty() ? EnumSet.complementOf(EnumSet.of(Type.INTEGER)) : types;
    }
    for (JsonNode each : given.isArray() ? given : new Schema.Single(given)) {
      Type type = each.isTextual() ? Type.of(each.textValue()) : null;
      if (type == null) {
        throw schema.wrong(
            "type",
            each + " is no type; needed: string, number, integer, object, array, boolean, null");
      }
      types.add(type);
    }
    if (types.isEmpty()) {
      throw schema.wrong("type", "no type at all is left, so that no value would do");
    }
    return types;
  }

  private static void add(Set<Type> types, Type type) {
    if (type != null) {
      types.add(type);
    }
  }

  /** Whether a value is of a type; whole numbers are numbers, too. */
  static boolean isOf(JsonNode value, Type type) {
    return switch (type) {
      case STRING -> value.isTextual();
      case NUMBER -> value.isNumber();
      case INTEGER -> value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
      case OBJECT -> value.isObject();
      case ARRAY -> value.isArray();
      case BOOLEAN -> value.isBoolean();
      case NULL -> value.isNull();
    };
  }
}
