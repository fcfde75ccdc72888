package dev.apus.core;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import java.util.HashMap;
import java.util.Map;

/** How the makers of a GGUF file sample, in the words of {@code generation_config.json}. */
final class GgufSampling {

  private static final Map<String, String> KEYS =
      Map.of(
          "temperature", "general.sampling.temp",
          "top_k", "general.sampling.top_k",
          "top_p", "general.sampling.top_p",
          "min_p", "general.sampling.min_p",
          "repetition_penalty", "general.sampling.penalty_repeat");

  private GgufSampling() {}

  /** Writes the settings that files have a word for. */
  static void write(Config generation, GgufWriter file) {
    KEYS.forEach(
        (setting, key) -> {
          if (generation.has(setting)) {
            if (setting.equals("top_k")) {
              file.i32(key, generation.count(setting));
            } else {
              file.f32(key, generation.real(setting));
            }
          }
        });
  }

  /** The settings, or null if the file says nothing. */
  static Config of(Gguf file) {
    Map<String, Object> settings = new HashMap<>();
    KEYS.forEach(
        (setting, key) -> {
          if (file.metadata().containsKey(key)) {
            settings.put(setting, file.metadata().get(key));
          }
        });
    return settings.isEmpty() ? null : Config.of(file.name(), settings, KEYS);
  }
}
