package dev.apus.structure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Schemas drawn at random, and documents of them, spelled as structures spell them. */
final class RandomSchemas {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final String[] NAMES = {"a", "b", "name", "k0", "k1", "k2", "k\"3", "é", "", "ab"};
  private static final String[] LETTERS = {
    "a", "b", "0", " ", "é", "🐦", "\"", "\\", "\n", "\u0001", "@"
  };
  private static final String[] PATTERNS = {"^[ab]{1,3}$", "a", "^\\d+-[^a]$", "^(x|é)*$", "b$"};
  private static final String[][] MATCHES = {
    {"a", "bab"}, {"a", "xay"}, {"1-b", "22-\""}, {"", "xéx"}, {"b", "ab"}
  };
  private static final String[][] FORMATS = {
    {"date", "2024-02-29", "1999-12-31"},
    {"time", "12:30:00Z", "23:59:59.5+02:00"},
    {"date-time", "2023-01-31T00:00:00Z"},
    {"uuid", "123e4567-e89b-12d3-a456-426614174000"},
    {"email", "a@b.com", "a.b+c@x-y.org"},
    {"ipv4", "127.0.0.1", "255.249.10.0"},
    {"ipv6", "::1", "fe80::1:2", "1:2:3:4:5:6:7:8"},
    {"hostname", "a.b-c.org"},
    {"duration", "P1Y2M3D", "PT5M"},
    {"uri", "https://a.org/x?y=1#z"}
  };

  private final SplittableRandom random;
  private final ObjectNode definitions = JSON.objectNode();

  RandomSchemas(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /** A schema of a document. */
  ObjectNode schema() {
    ObjectNode list = definitions.putObject("list");
    list.put("type", "object").putArray("required").add("v");
    ObjectNode properties = list.putObject("properties");
    properties.putObject("v").put("type", "integer");
    properties.putObject("next").put("$ref", "#/$defs/list");
    list.put("additionalProperties", false);
    ObjectNode root = schema(3);
    root.set("$defs", definitions);
    return root;
  }

  private ObjectNode schema(int depth) {
    ObjectNode schema = JSON.objectNode();
    return switch (random.nextInt(depth == 0 ? 7 : 13)) {
      case 0 -> string(schema.put("type", "string"));
      case 1 -> number(schema.put("type", "number"), 2);
      case 2 -> number(schema.put("type", "integer"), 0);
      case 3 -> schema.put("type", random.nextBoolean() ? "boolean" : "null");
      case 4 -> values(schema);
      case 5 -> {
        int format = random.nextInt(FORMATS.length);
        yield schema.put("type", "string").put("format", FORMATS[format][0]);
      }
      case 6 -> schema.put("type", "string").put("pattern", PATTERNS[random.nextInt(5)]);
      case 7, 8, 9 -> object(schema.put("type", "object"), depth);
      case 10 -> array(schema.put("type", "array"), depth);
      case 11 -> {
        ArrayNode alternatives = schema.putArray("anyOf");
        alternatives.add(schema(depth - 1)).add(schema(depth - 1));
        yield schema;
      }
      default -> schema.put("$ref", "#/$defs/list");
    };
  }

  private ObjectNode string(ObjectNode schema) {
    int least = random.nextInt(4);
    if (random.nextBoolean()) {
      schema.put("minLength", least);
    }
    return random.nextBoolean() ? schema.put("maxLength", least + random.nextInt(4)) : schema;
  }

  private ObjectNode number(ObjectNode schema, int scale) {
    BigDecimal least = decimal(-500, 500, scale);
    BigDecimal most = least.add(decimal(2, 300, scale));
    if (random.nextBoolean()) {
      schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", least);
    }
    if (random.nextBoolean()) {
      schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", most);
    }
    return schema;
  }

  private BigDecimal decimal(int from, int to, int scale) {
    int power = scale == 0 ? 1 : 100;
    return BigDecimal.valueOf(random.nextInt(from * power, to * power), scale);
  }

  private ObjectNode values(ObjectNode schema) {
    ArrayNode values = schema.putArray("enum");
    values.add("a").add(text(3)).add(random.nextInt(20)).add(true).addNull();
    values.addObject().put("k", random.nextInt(5));
    return schema;
  }

  private ObjectNode object(ObjectNode schema, int depth) {
    ObjectNode properties = schema.putObject("properties");
    List<String> required = new ArrayList<>();
    for (int i = random.nextInt(5); i > 0; i--) {
      String name = NAMES[random.nextInt(NAMES.length)];
      properties.set(name, schema(depth - 1));
      if (random.nextBoolean() && !required.contains(name)) {
        required.add(name);
      }
    }
    ArrayNode names = schema.putArray("required");
    required.forEach(names::add);
    switch (random.nextInt(3)) {
      case 0 -> schema.put("additionalProperties", false);
      case 1 -> schema.set("additionalProperties", schema(0));
      default -> {
        if (properties.isEmpty()) {
          schema.put("additionalProperties", false);
        }
      }
    }
    if (random.nextInt(3) == 0) {
      schema.put("maxProperties", required.size() + random.nextInt(3));
    }
    return schema;
  }

  private ObjectNode array(ObjectNode schema, int depth) {
    if (random.nextBoolean()) {
      ArrayNode first = schema.putArray("prefixItems");
      first.add(schema(depth - 1)).add(schema(depth - 1));
    }
    schema.set("items", random.nextInt(5) == 0 ? JSON.booleanNode(false) : schema(depth - 1));
    int most = schema.get("items").isBoolean() ? schema.path("prefixItems").size() : 4;
    int least = random.nextInt(1 + most);
    if (random.nextBoolean()) {
      schema.put("minItems", least);
    }
    return random.nextBoolean() ? schema.put("maxItems", least + random.nextInt(3)) : schema;
  }

  private String text(int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(LETTERS[random.nextInt(LETTERS.length)]);
    }
    return text.toString();
  }

  /** A document of a schema, as structures spell it. */
  String document(JsonNode schema, int depth) {
    if (schema.has("$ref")) {
      return document(definitions.get("list"), depth);
    }
    if (schema.has("anyOf")) {
      return document(schema.get("anyOf").get(random.nextInt(2)), depth);
    }
    if (schema.has("enum")) {
      return written(schema.get("enum").get(random.nextInt(schema.get("enum").size())));
    }
    return switch (schema.get("type").textValue()) {
      case "string" -> JsonText.quoted(string(schema));
      case "number" -> number(schema, 2).toPlainString();
      case "integer" -> number(schema, 0).toPlainString();
      case "boolean" -> random.nextBoolean() ? "true" : "false";
      case "null" -> "null";
      case "object" -> object(schema, depth);
      default -> array(schema, depth);
    };
  }

  private String written(JsonNode value) {
    return value.isTextual() ? JsonText.quoted(value.textValue()) : value.toString();
  }

  private String string(JsonNode schema) {
    for (String[] format : FORMATS) {
      if (format[0].equals(schema.path("format").textValue())) {
        return format[random.nextInt(1, format.length)];
      }
    }
    for (int i = 0; i < PATTERNS.length; i++) {
      if (PATTERNS[i].equals(schema.path("pattern").textValue())) {
        return MATCHES[i][random.nextInt(MATCHES[i].length)];
      }
    }
    int least = schema.path("minLength").asInt(0);
    int most = schema.path("maxLength").asInt(least + 3);
    return text(random.nextInt(least, most + 1));
  }

  private BigDecimal number(JsonNode schema, int scale) {
    BigDecimal step = BigDecimal.ONE.movePointLeft(scale);
    JsonNode above = schema.path("exclusiveMinimum");
    JsonNode below = schema.path("exclusiveMaximum");
    BigDecimal least = above.isNumber() ? above.decimalValue().add(step) : null;
    least = schema.has("minimum") ? schema.get("minimum").decimalValue() : least;
    BigDecimal most = below.isNumber() ? below.decimalValue().subtract(step) : null;
    most = schema.has("maximum") ? schema.get("maximum").decimalValue() : most;
    if (least == null) {
      least = most == null ? decimal(-900, 900, scale) : most.subtract(decimal(0, 90, scale));
    }
    BigDecimal range = most == null ? decimal(0, 2000, scale) : most.subtract(least);
    long steps = range.movePointRight(scale).longValueExact();
    return least.add(BigDecimal.valueOf(random.nextLong(steps + 1), scale)).setScale(scale);
  }

  private String comma(StringBuilder text) {
    return text.length() <= 1 ? "" : random.nextBoolean() ? "," : ", ";
  }

  private String object(JsonNode schema, int depth) {
    List<String> required = new ArrayList<>();
    schema.path("required").forEach(name -> required.add(name.textValue()));
    int spare = schema.path("maxProperties").asInt(100) - required.size();
    StringBuilder text = new StringBuilder("{");
    for (var member : schema.get("properties").properties()) {
      boolean wanted = required.contains(member.getKey());
      if (wanted || (spare > 0 && random.nextInt(depth + 1) > 0)) {
        spare -= wanted ? 0 : 1;
        text.append(comma(text)).append(member(member.getKey(), member.getValue(), depth));
      }
    }
    JsonNode others = schema.path("additionalProperties");
    for (int i = 0; others.isObject() && i < Math.min(2, spare); i++) {
      text.append(comma(text)).append(member("other" + text(2), others, depth));
    }
    return text.append('}').toString();
  }

  private String member(String name, JsonNode schema, int depth) {
    String colon = random.nextBoolean() ? ":" : ": ";
    return JsonText.quoted(name) + colon + document(schema, Math.max(0, depth - 1));
  }

  private String array(JsonNode schema, int depth) {
    int first = schema.path("prefixItems").size();
    int least = schema.path("minItems").asInt(0);
    int most = schema.path("maxItems").asInt(least + 3);
    most = schema.path("items").isBoolean() ? Math.min(most, first) : most;
    int count = random.nextInt(least, most + 1);
    StringBuilder text = new StringBuilder("[");
    for (int i = 0; i < count; i++) {
      JsonNode item = i < first ? schema.get("prefixItems").get(i) : schema.get("items");
      text.append(comma(text)).append(document(item, Math.max(0, depth - 1)));
    }
    return text.append(']').toString();
  }
}
