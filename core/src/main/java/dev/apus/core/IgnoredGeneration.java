package dev.apus.core;

import dev.apus.core.config.Config;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Settings of {@code generation_config.json} that would change a text and that no sampler here
 * knows.
 */
final class IgnoredGeneration {

  /** With this number, or as a flag that is off or a list of nothing, a setting changes nothing. */
  private static final Map<String, Double> NEUTRAL = neutral();

  private IgnoredGeneration() {}

  private static Map<String, Double> neutral() {
    Map<String, Double> neutral = new TreeMap<>();
    for (String key :
        List.of(
            "bad_words_ids",
            "begin_suppress_tokens",
            "constraints",
            "diversity_penalty",
            "dola_layers",
            "encoder_no_repeat_ngram_size",
            "exponential_decay_length_penalty",
            "force_words_ids",
            "forced_bos_token_id",
            "forced_decoder_ids",
            "forced_eos_token_id",
            "min_length",
            "min_new_tokens",
            "no_repeat_ngram_size",
            "penalty_alpha",
            "sequence_bias",
            "token_healing",
            "top_h",
            "watermarking_config")) {
      neutral.put(key, 0.0);
    }
    for (String key :
        List.of(
            "encoder_repetition_penalty",
            "guidance_scale",
            "length_penalty",
            "num_beam_groups",
            "num_beams")) {
      neutral.put(key, 1.0);
    }
    return neutral;
  }

  /** Those that the file has with a value that matters, in alphabetical order. */
  static List<String> keys(Config generation) {
    List<String> keys = new ArrayList<>();
    NEUTRAL.forEach(
        (key, neutral) -> {
          if (matters(generation.raw(key), neutral)) {
            keys.add(key);
          }
        });
    return keys;
  }

  private static boolean matters(Object value, double neutral) {
    return switch (value) {
      case null -> false;
      case Number number -> number.doubleValue() != neutral;
      case Boolean flag -> flag;
      case Collection<?> list -> !list.isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      default -> true;
    };
  }
}
