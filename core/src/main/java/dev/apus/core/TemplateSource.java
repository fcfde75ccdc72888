package dev.apus.core;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.ModelFiles;
import java.nio.charset.StandardCharsets;

/**
 * A checkpoint's chat template as it is written.
 *
 * @param name what errors call it
 */
record TemplateSource(String name, String source) {

  private static final String FILE = "chat_template.jinja";

  /** Holds templates among other things that are said of tokens. */
  static final String CONFIG = "tokenizer_config.json";

  /** Holds the template of a processor, as older ones were saved. */
  private static final String PROCESSOR_FILE = "chat_template.json";

  private static final String KEY = "chat_template";
  private static final String GGUF_KEY = "tokenizer.chat_template";

  /**
   * The template of a folder: in a file of its own, or else in the tokenizer's config, or else in
   * the one that older processors have; null if there is none.
   */
  static TemplateSource of(ModelFiles files) {
    byte[] own = files.read(FILE);
    if (own != null) {
      return new TemplateSource(FILE, new String(own, StandardCharsets.UTF_8));
    }
    TemplateSource tokenizers = of(files, CONFIG);
    return tokenizers != null ? tokenizers : of(files, PROCESSOR_FILE);
  }

  private static TemplateSource of(ModelFiles files, String file) {
    byte[] json = files.read(file);
    Config config = json == null ? null : Config.parse(files.name() + "/" + file, json);
    if (config == null || !config.has(KEY)) {
      return null;
    }
    if (config.raw(KEY) instanceof String source) {
      return new TemplateSource(file.equals(CONFIG) ? KEY : file, source);
    }
    for (Config each : config.sections(KEY)) {
      if (each.word("name").equals("default")) {
        return new TemplateSource(KEY, each.word("template"));
      }
    }
    return null;
  }

  /** The template in the header of a GGUF file; null if there is none. */
  static TemplateSource of(Gguf file) {
    return file.metadata().get(GGUF_KEY) instanceof String source
        ? new TemplateSource(GGUF_KEY, source)
        : null;
  }
}
