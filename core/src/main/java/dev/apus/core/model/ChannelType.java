package dev.apus.core.model;

import dev.apus.core.config.Config;

/** One kind of channel mixer that an architecture may name; modules provide these as services. */
public interface ChannelType {

  /** The name in the architecture document, such as {@code gated-mlp}. */
  String name();

  /** Builds a mixer, like {@link MixerType#build}. */
  ChannelMixer build(Config settings, Site site);
}
