package dev.apus.core.generate;

import java.util.ArrayList;
import java.util.List;

/** The warpers of one generation, with what they remember. */
final class Warping {

  private final int vocabulary;
  private final List<Change> changes = new ArrayList<>();
  private final List<Filter> filters = new ArrayList<>();
  private final List<Mirostat.Limit> limits = new ArrayList<>();
  private float[] scratch;

  /** Changes logits. */
  private interface Change {
    void apply(TokenHistory history, float[] logits);
  }

  /** Drops candidates. */
  private interface Filter {
    void apply(Candidates candidates, float[] logits, SplitMix random);
  }

  /**
   * Prepares warpers.
   *
   * @throws IllegalArgumentException if one names a token that there is not
   */
  Warping(List<Warper> warpers, int vocabulary) {
    this.vocabulary = vocabulary;
    warpers.forEach(this::add);
  }

  private void add(Warper warper) {
    switch (warper) {
      case LogitBias bias -> {
        bias.requireIn(vocabulary);
        changes.add((history, logits) -> bias.apply(logits));
      }
      case Dry dry -> changes.add(dry.new Repeats()::apply);
      case TopNSigma sigma ->
          filters.add((some, logits, random) -> sigma.filter(some, logits, vocabulary));
      case Typical typical ->
          filters.add((some, logits, random) -> typical.filter(some, scratch()));
      case EpsilonCutoff cutoff -> filters.add((some, logits, random) -> cutoff.filter(some));
      case EtaCutoff cutoff -> filters.add((some, logits, random) -> cutoff.filter(some));
      case Xtc xtc -> filters.add((some, logits, random) -> xtc.filter(some, random.nextDouble()));
      case Mirostat mirostat -> {
        Mirostat.Limit limit = mirostat.new Limit();
        limits.add(limit);
        filters.add((some, logits, random) -> limit.filter(some));
      }
    }
  }

  private float[] scratch() {
    if (scratch == null) {
      scratch = new float[vocabulary];
    }
    return scratch;
  }

  boolean changesLogits() {
    return !changes.isEmpty();
  }

  void change(TokenHistory history, float[] logits) {
    changes.forEach(change -> change.apply(history, logits));
  }

  void filter(Candidates candidates, float[] logits, SplitMix random) {
    // By index: an iterator would be garbage of every token.
    for (int i = 0; i < filters.size(); i++) {
      filters.get(i).apply(candidates, logits, random);
    }
  }

  /** Hears which of the candidates was chosen. */
  void follow(Candidates candidates, int place) {
    if (!limits.isEmpty()) {
      double logProbability = candidates.logProbability(place);
      limits.forEach(limit -> limit.follow(logProbability));
    }
  }
}
