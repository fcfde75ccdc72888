package dev.apus.core.tokenizer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;

/**
 * Reads values of a JSON text as trees. Jackson's own mapper gives the same, but to make one takes
 * 40 ms, a good part of the time to the first word.
 */
final class JsonNodes {

  static final JsonNodeFactory MAKER = JsonNodeFactory.instance;

  private JsonNodes() {}

  /** The value that begins at the current token. */
  static JsonNode read(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> object(parser);
      case START_ARRAY -> array(parser);
      case VALUE_STRING -> MAKER.textNode(parser.getText());
      case VALUE_NUMBER_INT -> integer(parser);
      case VALUE_NUMBER_FLOAT -> MAKER.numberNode(parser.getDoubleValue());
      case VALUE_TRUE -> MAKER.booleanNode(true);
      case VALUE_FALSE -> MAKER.booleanNode(false);
      case VALUE_NULL -> MAKER.nullNode();
      default -> throw new IllegalStateException("no value begins with " + parser.currentToken());
    };
  }

  /** The object that begins at the current token. */
  static ObjectNode object(JsonParser parser) throws IOException {
    ObjectNode object = MAKER.objectNode();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      parser.nextToken();
      object.set(key, read(parser));
    }
    return object;
  }

  private static ArrayNode array(JsonParser parser) throws IOException {
    ArrayNode array = MAKER.arrayNode();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      array.add(read(parser));
    }
    return array;
  }

  private static JsonNode integer(JsonParser parser) throws IOException {
    return switch (parser.getNumberType()) {
      case INT -> MAKER.numberNode(parser.getIntValue());
      case LONG -> MAKER.numberNode(parser.getLongValue());
      default -> MAKER.numberNode(parser.getBigIntegerValue());
    };
  }
}
