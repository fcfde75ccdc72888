package dev.apus.attention.softmax;

import dev.apus.core.model.JoinedState;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.RecurrentState;
import java.util.List;

/**
 * What attention behind a convolution remembers.
 *
 * @param cache the keys and values of all tokens
 * @param recent what the convolution sees of the last few
 */
record ConvolvedCache(KeyValueCache cache, RecurrentState recent) implements JoinedState {

  /** In the order in which files have them. */
  @Override
  public List<MixerState> parts() {
    return List.of(recent, cache);
  }

  @Override
  public ConvolvedCache of(List<MixerState> parts) {
    return new ConvolvedCache((KeyValueCache) parts.get(1), (RecurrentState) parts.get(0));
  }
}
