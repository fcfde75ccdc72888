package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.Map;

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

  /**
   * Whether queries of a mixer with these settings visit all keys before them, and would visit some
   * of them if the settings had a section {@code select} (see {@link AttentionPolicy}).
   */
  default boolean takesSelection(Map<String, Object> settings) {
    return false;
  }

  /**
   * Builds a mixer that keeps nothing of its own and reads the state of another one, which has gone
   * over the same rows before it.
   *
   * @param owner a mixer of this type, whose states this one is given
   * @throws dev.apus.core.config.ConfigException if the settings do not fit the owner's state, or
   *     no mixer of this type can do so
   */
  default SequenceMixer<?> build(Config settings, Site site, SequenceMixer<?> owner) {
    throw settings.error(
        "stateOf is for attention, whose keys and values stay as they are; \"%s\" advances its"
            + " state",
        name());
  }

  /**
   * Builds a mixer that attends to what another one chooses, which has gone over the same rows
   * before it.
   *
   * @param chooser a mixer of this type
   * @throws dev.apus.core.config.ConfigException if the other one does not choose, or no mixer of
   *     this type can do so
   */
  default SequenceMixer<?> buildFollowing(Config settings, Site site, SequenceMixer<?> chooser) {
    throw settings.error(
        "choiceOf is for attention to tokens that are chosen one by one; \"%s\" chooses none",
        name());
  }
}
