package dev.apus.core.family;

import dev.apus.core.config.Config;

/** The language model's part of a config that also describes a vision tower. */
final class TextConfig {

  private TextConfig() {}

  /** The section {@code text_config}, or the config itself. Images cannot be read. */
  static Config of(Config c) {
    if (!c.hasSection("text_config")) {
      return c;
    }
    Config text = c.section("text_config");
    c.ignore(
        "vision_config",
        "image_token_id",
        "video_token_id",
        "vision_start_token_id",
        "vision_end_token_id",
        "tie_word_embeddings");
    Harmless.ignore(text);
    return text;
  }
}
