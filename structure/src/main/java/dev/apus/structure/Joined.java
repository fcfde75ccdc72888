package dev.apus.structure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.net.URI;
import java.util.Set;

/** What several schemas say together, as one schema; of what they say of parts, as allOf there. */
final class Joined {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final int DEEPEST = 100;

  private final JsonNode document;

  Joined(JsonNode document) {
    this.document = document;
  }

  /** The schema that a reference names. */
  Schema referred(Schema from) {
    String reference = from.text("$ref");
    if (!reference.startsWith("#") || (reference.length() > 1 && reference.charAt(1) != '/')) {
      throw from.wrong(
          "$ref", reference + " is not within this document; needed: # or #/ and a place in it");
    }
    JsonNode target;
    try {
      String pointer = URI.create(reference).getFragment();
      target = document.at(pointer);
    } catch (IllegalArgumentException e) {
      throw from.wrong("$ref", reference + " is no pointer");
    }
    if (target.isMissingNode()) {
      throw from.wrong("$ref", "there is no " + reference);
    }
    return new Schema(target, reference.substring(1));
  }

  /** The schema without references and allOf. */
  Schema flat(Schema schema) {
    return flat(schema, 0);
  }

  private Schema flat(Schema schema, int depth) {
    if (depth > DEEPEST) {
      throw schema.wrong("it refers to itself without end");
    }
    if (!schema.node().isObject()) {
      return schema;
    }
    Schema whole = schema;
    if (schema.has("$ref") || schema.has("allOf")) {
      ObjectNode own = schema.node().deepCopy();
      own.remove("$ref");
      own.remove("allOf");
      whole = new Schema(own, schema.pointer());
    }
    if (schema.has("$ref")) {
      whole = both(flat(referred(schema), depth + 1), whole, depth);
    }
    for (Schema part : schema.children("allOf")) {
      whole = both(whole, flat(part, depth + 1), depth);
    }
    return whole;
  }

  /** What both say. */
  Schema both(Schema left, Schema right) {
    return both(flat(left), flat(right), 0);
  }

  private Schema both(Schema left, Schema right, int depth) {
    for (Schema each : new Schema[] {left, right}) {
      if (!each.node().isObject() && !each.node().isBoolean()) {
        throw each.wrong("needed: a schema, which is an object, true or false");
      }
      if (each.node().isBoolean()) {
        Schema other = each == left ? right : left;
        return each.node().booleanValue() ? other : each;
      }
    }
    ObjectNode joined = JSON.objectNode();
    left.node().properties().forEach(member -> joined.set(member.getKey(), member.getValue()));
    closeOthers(left, right, joined);
    right
        .node()
        .properties()
        .forEach(
            member -> {
              String word = member.getKey();
              JsonNode mine = joined.get(word);
              JsonNode theirs = member.getValue();
              if (mine == null || Keywords.isAnnotation(word)) {
                joined.set(word, mine == null ? theirs : mine);
              } else if (!mine.equals(theirs)) {
                join(joined, word, theirs, right);
              }
            });
    return flat(new Schema(joined, right.pointer()), depth + 1);
  }

  /**
   * Members that one side names are others to the other side, which may forbid or describe them.
   */
  private static void closeOthers(Schema left, Schema right, ObjectNode joined) {
    if (left.has("patternProperties") || right.has("patternProperties")) {
      Schema at = left.has("patternProperties") ? left : right;
      throw at.wrong("patternProperties", "is not supported under allOf or beside a reference");
    }
    ObjectNode members = JSON.objectNode();
    restrict(left, right, members);
    restrict(right, left, members);
    if (!members.isEmpty()) {
      ObjectNode all = left.members("properties").deepCopy();
      members.properties().forEach(member -> all.set(member.getKey(), member.getValue()));
      joined.set("properties", all);
    }
  }

  private static void restrict(Schema named, Schema by, ObjectNode members) {
    JsonNode others = by.node().get("additionalProperties");
    if (others == null) {
      return;
    }
    named
        .members("properties")
        .properties()
        .forEach(
            member -> {
              if (!by.members("properties").has(member.getKey())) {
                members.set(member.getKey(), allOf(member.getValue(), others));
              }
            });
  }

  private static ObjectNode allOf(JsonNode... parts) {
    ObjectNode node = JSON.objectNode();
    ArrayNode list = node.putArray("allOf");
    for (JsonNode part : parts) {
      list.add(part);
    }
    return node;
  }

  private static void join(ObjectNode joined, String word, JsonNode theirs, Schema right) {
    JsonNode mine = joined.get(word);
    switch (word) {
      case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties" ->
          joined.set(word, larger(mine, theirs, right, word) ? mine : theirs);
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties" ->
          joined.set(word, larger(mine, theirs, right, word) ? theirs : mine);
      case "type" -> joined.set(word, types(mine, theirs));
      case "enum" -> joined.set(word, common(mine, theirs));
      case "const" -> joined.set("enum", JSON.arrayNode());
      case "required" -> joined.set(word, together(mine, theirs));
      case "items", "additionalProperties" -> joined.set(word, allOf(mine, theirs));
      case "properties" -> {
        ObjectNode all = ((ObjectNode) mine).deepCopy();
        theirs
            .properties()
            .forEach(
                member -> {
                  JsonNode known = all.get(member.getKey());
                  all.set(
                      member.getKey(),
                      known == null ? member.getValue() : allOf(known, member.getValue()));
                });
        joined.set(word, all);
      }
      case "anyOf", "oneOf" ->
          throw right.wrong(
              word, "two of it for one value, by allOf or a reference, are not supported");
      default -> throw right.wrong(word, "differs from what is said elsewhere of the same value");
    }
  }

  private static boolean larger(JsonNode mine, JsonNode theirs, Schema at, String word) {
    if (!mine.isNumber() || !theirs.isNumber()) {
      throw at.wrong(word, "needed: a number");
    }
    BigDecimal value = mine.decimalValue();
    return value.compareTo(theirs.decimalValue()) > 0;
  }

  private static ArrayNode types(JsonNode mine, JsonNode theirs) {
    ArrayNode types = JSON.arrayNode();
    Iterable<JsonNode> left = mine.isArray() ? mine : new Schema.Single(mine);
    Iterable<JsonNode> right = theirs.isArray() ? theirs : new Schema.Single(theirs);
    for (JsonNode one : left) {
      for (JsonNode other : right) {
        Set<String> pair =
            one.equals(other) ? Set.of(one.asText()) : Set.of(one.asText(), other.asText());
        if (pair.size() == 1 || pair.equals(Set.of("integer", "number"))) {
          types.add(pair.size() == 1 ? one.asText() : "integer");
        }
      }
    }
    return types;
  }

  private static ArrayNode common(JsonNode mine, JsonNode theirs) {
    ArrayNode common = JSON.arrayNode();
    for (JsonNode one : mine) {
      for (JsonNode other : theirs) {
        if (one.equals(other)) {
          common.add(one);
        }
      }
    }
    return common;
  }

  private static ArrayNode together(JsonNode mine, JsonNode theirs) {
    ArrayNode all = JSON.arrayNode();
    mine.forEach(all::add);
    for (JsonNode name : theirs) {
      boolean known = false;
      for (JsonNode one : mine) {
        known |= one.equals(name);
      }
      if (!known) {
        all.add(name);
      }
    }
    return all;
  }
}
