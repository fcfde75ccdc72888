package dev.apus.structure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * A schema within a document of schemas.
 *
 * @param pointer where it is, for messages
 */
record Schema(JsonNode node, String pointer) {

  /** One node as a list of it. */
  record Single(JsonNode node) implements Iterable<JsonNode> {
    @Override
    public Iterator<JsonNode> iterator() {
      return List.of(node).iterator();
    }
  }

  boolean has(String word) {
    return node.has(word);
  }

  /** The schema under a word, or null. */
  Schema child(String word) {
    return has(word) ? new Schema(node.get(word), at(word)) : null;
  }

  /** The schemas in the list under a word; none if it is not there. */
  List<Schema> children(String word) {
    List<Schema> children = new ArrayList<>();
    JsonNode list = node.get(word);
    if (list != null && !list.isArray()) {
      throw wrong(word, "needed: a list of schemas");
    }
    for (int i = 0; list != null && i < list.size(); i++) {
      children.add(new Schema(list.get(i), at(word) + "/" + i));
    }
    return children;
  }

  /** The members of the object under a word; none if it is not there. */
  ObjectNode members(String word) {
    JsonNode members = node.get(word);
    if (members == null) {
      return JsonNodeFactory.instance.objectNode();
    }
    if (!(members instanceof ObjectNode object)) {
      throw wrong(word, "needed: an object");
    }
    return object;
  }

  /** A count under a word. */
  int count(String word, int otherwise) {
    JsonNode value = node.get(word);
    if (value == null) {
      return otherwise;
    }
    if (!value.isIntegralNumber() || value.bigIntegerValue().signum() < 0) {
      throw wrong(word, "needed: a whole number of at least 0");
    }
    return value.canConvertToInt() ? value.intValue() : Node.UNBOUNDED;
  }

  /** A number under a word, or null. */
  BigDecimal number(String word) {
    JsonNode value = node.get(word);
    if (value == null) {
      return null;
    }
    if (!value.isNumber()) {
      throw wrong(word, "needed: a number");
    }
    BigDecimal number = value.decimalValue();
    if (Math.abs((long) number.precision() - number.scale()) > 400 || number.scale() > 400) {
      throw wrong(word, "numbers of more than 400 digits are not supported");
    }
    return number;
  }

  /** A text under a word, or null. */
  String text(String word) {
    JsonNode value = node.get(word);
    if (value != null && !value.isTextual()) {
      throw wrong(word, "needed: a string");
    }
    return value == null ? null : value.textValue();
  }

  private String at(String word) {
    return pointer + "/" + word.replace("~", "~0").replace("/", "~1");
  }

  Schema member(String word, String name) {
    return new Schema(
        node.get(word).get(name), at(word) + "/" + name.replace("~", "~0").replace("/", "~1"));
  }

  StructureException wrong(String word, String what) {
    return new StructureException("the schema, at " + at(word) + ": " + what);
  }

  StructureException wrong(String what) {
    return new StructureException(place() + ": " + what);
  }

  /** Where the schema is, as messages begin. */
  String place() {
    return "the schema, at " + (pointer.isEmpty() ? "/" : pointer);
  }
}
