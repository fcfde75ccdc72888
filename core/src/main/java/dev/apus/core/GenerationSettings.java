package dev.apus.core;

import dev.apus.core.config.Config;
import dev.apus.core.generate.Sampling;
import dev.apus.core.json.Printable;
import dev.apus.core.tokenizer.Tokenizer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a checkpoint's files say about generating: which tokens end a text, and how its makers
 * sample.
 */
record GenerationSettings(Set<Integer> endTokens, Sampling sampling) {

  private static final Logger LOG = LoggerFactory.getLogger(GenerationSettings.class);

  private static final String END_KEY = "eos_token_id";

  /** Where models that see images, too, have what is said of text. */
  private static final String TEXT = "text_config";

  GenerationSettings {
    endTokens = Set.copyOf(endTokens);
  }

  /**
   * Reads {@code generation_config.json} and what older checkpoints have in {@code config.json}.
   *
   * @param generation the file, or null
   * @param config the model's own config
   * @param tokenizer or null
   * @param vocabulary how many tokens the model has; padding past those of the tokenizer is never
   *     generated and ends nothing
   * @throws dev.apus.core.config.ConfigException if a setting is no value that it can have
   */
  static GenerationSettings read(
      Config generation, Config config, Tokenizer tokenizer, int vocabulary) {
    Set<Integer> ends = new LinkedHashSet<>();
    Sampling sampling = Sampling.plain();
    if (generation != null) {
      warn(generation);
      addIds(generation, ends);
      sampling = sampling(generation);
    }
    addIds(config, ends);
    if (config.hasSection(TEXT)) {
      addIds(config.section(TEXT), ends);
    }
    if (tokenizer != null) {
      tokenizer.end().ifPresent(ends::add);
    }
    int tokens = tokenizer == null ? vocabulary : Math.min(vocabulary, tokenizer.vocabularySize());
    ends.removeIf(id -> id < 0 || id >= tokens);
    return new GenerationSettings(ends, sampling);
  }

  private static Sampling sampling(Config generation) {
    try {
      Sampling sampling =
          Sampling.plain()
              .withTemperature(generation.real("temperature", 1))
              .withTopK(generation.count("top_k", 0))
              .withTopP(generation.real("top_p", 1))
              .withMinP(generation.real("min_p", 0))
              .withRepetitionPenalty(generation.real("repetition_penalty", 1));
      return generation.flag("do_sample", true) ? sampling : sampling.withTemperature(0);
    } catch (IllegalArgumentException e) {
      throw generation.error("%s", e.getMessage());
    }
  }

  /** Makers' defaults are no orders: what is not honoured is said, and the model runs. */
  private static void warn(Config generation) {
    List<String> ignored = IgnoredGeneration.keys(generation);
    if (!ignored.isEmpty()) {
      LOG.warn(
          "{}: the makers of the model set {}, which is not supported: texts may differ from"
              + " theirs",
          generation.name(),
          String.join(", ", ignored));
    }
  }

  /** {@code eos_token_id} is one id or a list of them. */
  private static void addIds(Config c, Set<Integer> ids) {
    switch (c.raw(END_KEY)) {
      case null -> {}
      case List<?> list -> list.forEach(id -> ids.add(id(c, id)));
      case Object id -> ids.add(id(c, id));
    }
  }

  /** Some files write −1, or its bits without a sign, for "none". */
  private static int id(Config c, Object value) {
    if (!(value instanceof Long id) || (id > Integer.MAX_VALUE && id != 0xffff_ffffL)) {
      throw c.errorAt(
          END_KEY,
          "%s holds %s; needed: whole numbers from 0 to 2147483647",
          END_KEY,
          Printable.value(value));
    }
    return id < 0 || id > Integer.MAX_VALUE ? -1 : id.intValue();
  }
}
