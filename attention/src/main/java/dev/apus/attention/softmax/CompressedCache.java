package dev.apus.attention.softmax;

import dev.apus.core.model.JoinedState;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.RecurrentState;
import java.util.List;

/**
 * What attention to compressed entries remembers.
 *
 * @param tokens what the tokens of the window left, a value each
 * @param entries the compressed entries, a value each
 * @param index the keys by which they are chosen
 * @param pending what the tokens that are in no entry yet add up to
 */
record CompressedCache(
    KeyValueCache tokens, KeyValueCache entries, KeyValueCache index, RecurrentState pending)
    implements JoinedState {

  @Override
  public List<MixerState> parts() {
    return List.of(tokens, entries, index, pending);
  }

  @Override
  public CompressedCache of(List<MixerState> parts) {
    return new CompressedCache(
        (KeyValueCache) parts.get(0),
        (KeyValueCache) parts.get(1),
        (KeyValueCache) parts.get(2),
        (RecurrentState) parts.get(3));
  }
}
