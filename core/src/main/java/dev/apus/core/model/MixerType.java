package dev.apus.core.model;

import dev.apus.core.config.Config;

/** One kind of sequence mixer that an architecture may name; modules provide these as services. */
public interface MixerType {

  /** The name in the architecture document, such as {@code attention}. */
  String name();

  /**
   * Builds a mixer. Settings are read strictly: a key left unread is refused by the assembler.
   *
   * @throws dev.apus.core.config.ConfigException if the settings cannot be run
   * @throws dev.apus.core.weight.WeightException if the weights do not fit them
   */
  SequenceMixer<?> build(Config settings, Site site);
}
