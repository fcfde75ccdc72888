package dev.apus.benchmarks.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.stream.StreamSupport;

/** The answers of engines that print JSON. */
final class Json {

  private static final JsonMapper MAPPER = new JsonMapper();

  private Json() {}

  /**
   * The document in what a process printed, from this character on.
   *
   * @throws IOException if there is none
   */
  static JsonNode in(Child child, char first) throws IOException {
    int from = child.out().indexOf(first);
    try {
      if (from >= 0) {
        return MAPPER.readTree(child.out().substring(from));
      }
    } catch (JsonProcessingException e) {
      throw new IOException("printed no JSON: " + e.getOriginalMessage(), e);
    }
    throw new IOException("printed no JSON, but " + child.lastLines());
  }

  /**
   * A member that has to be there.
   *
   * @throws IOException if it is not
   */
  static JsonNode member(JsonNode object, String name) throws IOException {
    JsonNode member = object.get(name);
    if (member == null) {
      throw new IOException("printed JSON without \"" + name + "\": " + object);
    }
    return member;
  }

  /**
   * The median of an array of numbers.
   *
   * @throws IOException if there are none
   */
  static double median(JsonNode array) throws IOException {
    double[] values =
        StreamSupport.stream(array.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    if (values.length == 0) {
      throw new IOException("printed no numbers: " + array);
    }
    return Engine.median(values);
  }
}
