package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonNodesTest {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "{\"a\": {\"b\": [1, [2.5, -3e300], {}, \"\u00e9\"], \"c\": null}, \"d\": [true, false]}",
        "[0, -1, 2147483647, 2147483648, -9223372036854775808, 9223372036854775808]",
        "\"text\"",
        "1e-3",
        "null",
      })
  void readsWhatAMapperReads(String json) throws Exception {
    try (JsonParser parser = MAPPER.getFactory().createParser(json)) {
      parser.nextToken();
      // Nodes are equal only if they are of one type, such as int or long.
      assertEquals(MAPPER.readTree(json), JsonNodes.read(parser));
    }
  }
}
