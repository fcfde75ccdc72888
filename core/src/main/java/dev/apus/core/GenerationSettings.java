package dev.apus.core;

import dev.apus.core.config.Config;
import dev.apus.core.generate.EpsilonCutoff;
import dev.apus.core.generate.EtaCutoff;
import dev.apus.core.generate.LogitBias;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Typical;
import dev.apus.core.generate.Warper;
import dev.apus.core.json.Printable;
import dev.apus.core.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a checkpoint's files say about generating: which tokens end a text, which no text gets, and
 * how its makers sample.
 *
 * @param unusedTokens ids that name no token, or one that the vocabulary calls unused
 */
record GenerationSettings(Set<Integer> endTokens, Set<Integer> unusedTokens, Sampling sampling) {

  private static final Logger LOG = LoggerFactory.getLogger(GenerationSettings.class);

  private static final String END_KEY = "eos_token_id";
  private static final String STOP_KEY = "stop_strings";

  /** Where models that see images, too, have what is said of text. */
  private static final String TEXT = "text_config";

  GenerationSettings {
    endTokens = Set.copyOf(endTokens);
    unusedTokens = Set.copyOf(unusedTokens);
  }

  GenerationSettings(Set<Integer> endTokens, Sampling sampling) {
    this(endTokens, Set.of(), sampling);
  }

  /**
   * Reads {@code generation_config.json} and what older checkpoints have in {@code config.json}.
   *
   * @param generation the file, or null
   * @param config the model's own config
   * @param tokenizer or null
   * @param vocabulary how many ids the model has; what names no token is never generated and ends
   *     nothing
   * @throws dev.apus.core.config.ConfigException if a setting is no value that it can have
   */
  static GenerationSettings read(
      Config generation, Config config, Tokenizer tokenizer, int vocabulary) {
    int tokens = tokenizer == null ? vocabulary : Math.min(vocabulary, tokenizer.vocabularySize());
    Set<Integer> ends = new LinkedHashSet<>();
    Sampling sampling = Sampling.plain();
    if (generation != null) {
      warn(generation);
      addIds(generation, END_KEY, ends);
      sampling = sampling(generation, tokens);
    }
    addIds(config, END_KEY, ends);
    if (config.hasSection(TEXT)) {
      addIds(config.section(TEXT), END_KEY, ends);
    }
    if (tokenizer != null) {
      tokenizer.end().ifPresent(ends::add);
    }
    ends.removeIf(id -> id < 0 || id >= tokens);
    Set<Integer> unused = new HashSet<>();
    for (int id = 0; id < vocabulary; id++) {
      if (tokenizer != null && (id >= tokens || !tokenizer.isUsed(id))) {
        unused.add(id);
      }
    }
    ends.removeAll(unused);
    return new GenerationSettings(ends, unused, sampling);
  }

  /**
   * A sampling with the tokens banned that no text gets.
   *
   * @param tokens how many ids may be chosen
   */
  Sampling allowed(Sampling any, int tokens) {
    Map<Integer, Float> banned = banned(unusedTokens, tokens);
    if (banned.isEmpty()) {
      return any;
    }
    List<Warper> warpers = new ArrayList<>(any.warpers());
    warpers.add(new LogitBias(banned));
    return any.withWarpers(warpers);
  }

  private static Map<Integer, Float> banned(Set<Integer> ids, int tokens) {
    Map<Integer, Float> biases = new HashMap<>();
    for (int id : ids) {
      if (id >= 0 && id < tokens) {
        biases.put(id, Float.NEGATIVE_INFINITY);
      }
    }
    return biases;
  }

  private static Sampling sampling(Config generation, int tokens) {
    try {
      Sampling sampling =
          Sampling.plain()
              .withTemperature(generation.real("temperature", 1))
              .withTopK(generation.count("top_k", 0))
              .withTopP(generation.real("top_p", 1))
              .withMinP(generation.real("min_p", 0))
              .withRepetitionPenalty(generation.real("repetition_penalty", 1))
              .withFrequencyPenalty(generation.real("frequency_penalty", 0))
              .withPresencePenalty(generation.real("presence_penalty", 0))
              .withStop(stopTexts(generation))
              .withWarpers(warpers(generation, tokens));
      return generation.flag("do_sample", true) ? sampling : sampling.withTemperature(0);
    } catch (IllegalArgumentException e) {
      throw generation.error("%s", e.getMessage());
    }
  }

  private static List<Warper> warpers(Config generation, int tokens) {
    List<Warper> warpers = new ArrayList<>();
    Set<Integer> banned = new LinkedHashSet<>();
    addIds(generation, "suppress_tokens", banned);
    Map<Integer, Float> biases = banned(banned, tokens);
    if (!biases.isEmpty()) {
      warpers.add(new LogitBias(biases));
    }
    float typical = generation.real("typical_p", 1);
    if (typical != 1) {
      warpers.add(new Typical(typical));
    }
    float epsilon = generation.real("epsilon_cutoff", 0);
    if (epsilon != 0) {
      warpers.add(new EpsilonCutoff(epsilon));
    }
    float eta = generation.real("eta_cutoff", 0);
    if (eta != 0) {
      warpers.add(new EtaCutoff(eta));
    }
    return warpers;
  }

  /** {@code stop_strings} is one text or a list of them. */
  private static String[] stopTexts(Config generation) {
    Object value = generation.raw(STOP_KEY);
    List<?> texts =
        value instanceof List<?> list ? list : value == null ? List.of() : List.of(value);
    for (Object text : texts) {
      if (!(text instanceof String)) {
        throw generation.errorAt(
            STOP_KEY, "%s holds %s; needed: texts", STOP_KEY, Printable.value(text));
      }
    }
    return texts.toArray(String[]::new);
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

  /** The value is one id or a list of them. */
  private static void addIds(Config c, String key, Set<Integer> ids) {
    switch (c.raw(key)) {
      case null -> {}
      case List<?> list -> list.forEach(id -> ids.add(id(c, key, id)));
      case Object id -> ids.add(id(c, key, id));
    }
  }

  /** Some files write −1, or its bits without a sign, for "none". */
  private static int id(Config c, String key, Object value) {
    if (!(value instanceof Long id) || (id > Integer.MAX_VALUE && id != 0xffff_ffffL)) {
      throw c.errorAt(
          key,
          "%s holds %s; needed: whole numbers from 0 to 2147483647",
          key,
          Printable.value(value));
    }
    return id < 0 || id > Integer.MAX_VALUE ? -1 : id.intValue();
  }
}
