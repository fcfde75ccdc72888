package dev.apus.core.family;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import java.nio.charset.StandardCharsets;

/** Configs as text, and what the installed families make of them. */
final class FamilyFixtures {

  /** Infinite limits are written as Python writes them. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
          .build();

  private FamilyFixtures() {}

  /** What the config describes; every key must be understood. */
  static Architecture describe(String config) {
    return Families.installed()
        .describe(Config.parse("config.json", config.getBytes(StandardCharsets.UTF_8)));
  }

  /** The config, on one line, with {@code key} set to {@code value}, itself JSON. */
  static String with(String config, String key, String value) {
    try {
      ObjectNode object = (ObjectNode) JSON.readTree(config);
      object.set(key, JSON.readTree(value));
      return JSON.writeValueAsString(object);
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  /** The mixer of a layer that has one. */
  static Branch mixer(Architecture architecture, int layer) {
    return branch(architecture.layers().get(layer), Architecture.Role.MIXER);
  }

  /** The channel mixer of a layer that has one. */
  static Branch channel(Architecture architecture, int layer) {
    return branch(architecture.layers().get(layer), Architecture.Role.CHANNEL);
  }

  private static Branch branch(Layer layer, Architecture.Role role) {
    return layer.steps().stream()
        .flatMap(step -> step.branches().stream())
        .filter(branch -> branch.role() == role)
        .findFirst()
        .orElseThrow();
  }
}
