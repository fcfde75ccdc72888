package dev.apus.core.json;

import com.fasterxml.jackson.core.JsonToken;
import dev.apus.core.json.JsonObject.Member;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a whole JSON text that holds one object.
 *
 * <p>{@code NaN} and {@code Infinity} may stand for numbers, as Python writes them, and so may
 * <code>{"__float__": "Infinity"}</code>, as Hugging Face transformers 5 writes them.
 */
public final class JsonTree {

  private static final int DEEPEST = 64;

  private final JsonCursor cursor;

  private JsonTree(JsonCursor cursor) {
    this.cursor = cursor;
  }

  /**
   * Reads an object.
   *
   * @throws JsonFault if the text is anything else, repeats a key or is nested deeper than 64
   */
  public static JsonObject read(byte[] json) throws JsonFault {
    var cursor = new JsonCursor(json, DEEPEST);
    if (cursor.next() != JsonToken.START_OBJECT) {
      throw cursor.fault("needs an object, {…}, at the top");
    }
    JsonObject object = new JsonTree(cursor).object();
    cursor.end();
    return object;
  }

  private JsonObject object() throws JsonFault {
    int line = cursor.line();
    Map<String, Member> members = new LinkedHashMap<>();
    while (cursor.next() != JsonToken.END_OBJECT) {
      String key = cursor.text();
      int keyLine = cursor.line();
      Member first = members.get(key);
      if (first != null) {
        throw cursor.fault(
            "key "
                + Printable.value(key)
                + " is here a second time; first on line "
                + first.line());
      }
      members.put(key, new Member(value(cursor.next()), keyLine));
    }
    return new JsonObject(members, line);
  }

  private List<Object> list() throws JsonFault {
    List<Object> list = new ArrayList<>();
    JsonToken token = cursor.next();
    while (token != JsonToken.END_ARRAY) {
      list.add(value(token));
      token = cursor.next();
    }
    return list;
  }

  private Object value(JsonToken token) throws JsonFault {
    return switch (token) {
      case START_OBJECT -> number(object());
      case START_ARRAY -> list();
      case VALUE_STRING -> cursor.text();
      case VALUE_NUMBER_INT -> cursor.integer();
      case VALUE_NUMBER_FLOAT -> cursor.real();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> throw cursor.fault("unexpected " + token);
    };
  }

  private static Object number(JsonObject object) {
    Member spelled = object.members().get("__float__");
    if (spelled == null
        || object.members().size() > 1
        || !(spelled.value() instanceof String text)) {
      return object;
    }
    return switch (text) {
      case "Infinity" -> Double.POSITIVE_INFINITY;
      case "-Infinity" -> Double.NEGATIVE_INFINITY;
      case "NaN" -> Double.NaN;
      default -> object;
    };
  }
}
