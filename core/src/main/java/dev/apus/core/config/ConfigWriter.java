package dev.apus.core.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Map;

/** Settings as JSON documents. */
public final class ConfigWriter {

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
          .build();

  private ConfigWriter() {}

  /**
   * The document; infinite limits are written as Python writes them.
   *
   * @param settings maps, lists, texts, numbers and truth values
   */
  public static String json(Map<String, ?> settings) {
    try {
      return JSON.writeValueAsString(settings);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("settings hold something that JSON has no word for", e);
    }
  }
}
