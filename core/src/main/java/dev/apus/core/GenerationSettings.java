package dev.apus.core;

import dev.apus.core.config.Config;
import dev.apus.core.generate.Sampling;
import dev.apus.core.tokenizer.Tokenizer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a checkpoint's files say about generating: which tokens end a text, and how its makers
 * sample.
 */
record GenerationSettings(Set<Integer> endTokens, Sampling sampling) {

  GenerationSettings {
    endTokens = Set.copyOf(endTokens);
  }

  /**
   * Reads {@code generation_config.json} and what older checkpoints have in {@code config.json}.
   *
   * @param generation the file, or null
   * @param config the model's own config
   * @param tokenizer or null
   * @param vocabulary ids at or past it end nothing
   */
  static GenerationSettings read(
      Config generation, Config config, Tokenizer tokenizer, int vocabulary) {
    Set<Integer> ends = new LinkedHashSet<>();
    Sampling sampling = Sampling.plain();
    if (generation != null) {
      addIds(generation, ends);
      sampling = sampling(generation);
    }
    addIds(config, ends);
    if (tokenizer != null) {
      tokenizer.end().ifPresent(ends::add);
    }
    ends.removeIf(id -> id < 0 || id >= vocabulary);
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

  /** {@code eos_token_id} is one id or a list of them. */
  private static void addIds(Config c, Set<Integer> ids) {
    switch (c.raw("eos_token_id")) {
      case Number id -> ids.add(id(id));
      case List<?> list -> {
        for (Object id : list) {
          if (!(id instanceof Number number)) {
            throw c.errorAt("eos_token_id", "eos_token_id holds %s, not an id", id);
          }
          ids.add(id(number));
        }
      }
      case null -> {}
      case Object other ->
          throw c.errorAt("eos_token_id", "eos_token_id is %s, not an id or a list of ids", other);
    }
  }

  /** A number that no id can be, which some files write for "none", is −1. */
  private static int id(Number number) {
    long id = number.longValue();
    return id == (int) id ? (int) id : -1;
  }
}
