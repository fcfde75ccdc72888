package dev.apus.attention.softmax;

import dev.apus.core.model.JoinedState;
import dev.apus.core.model.KeyVisits;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.Run;
import dev.apus.core.model.Visibility;
import java.util.List;

/** Keys and values, and numbers of each token by which those are found that see each other. */
record NumberedCache(KeyValueCache cache, TokenNumbers tokens) implements JoinedState {

  /**
   * @param numbers of a token
   */
  static NumberedCache of(CacheLayout layout, int numbers, int limit) {
    return new NumberedCache(
        new KeyValueCache(layout, limit, null), new TokenNumbers(numbers, limit));
  }

  /** Refuses a part of a text whose tokens look ahead: all of it decides who sees whom. */
  static void requireWhole(Run<NumberedCache> run, String mixer) {
    if (run.visibility() == Visibility.BIDIRECTIONAL && run.position() > 0) {
      throw new IllegalArgumentException(
          mixer
              + " reads a text that looks ahead as a whole; a run begins at token "
              + run.position());
    }
  }

  @Override
  public List<MixerState> parts() {
    return List.of(cache, tokens);
  }

  @Override
  public JoinedState of(List<MixerState> parts) {
    return new NumberedCache((KeyValueCache) parts.getFirst(), (TokenNumbers) parts.getLast());
  }

  /** Takes note of how many keys some heads of a run's rows have visited. */
  static void count(Run<NumberedCache> run, int heads, long visited) {
    long seen = 0;
    for (int i = 0; i < run.length(); i++) {
      seen += run.visibility() == Visibility.CAUSAL ? run.position() + i + 1L : run.length();
    }
    run.state().cache.count(new KeyVisits(visited, heads * seen));
  }

  @Override
  public KeyVisits visits() {
    return cache.visits();
  }
}
