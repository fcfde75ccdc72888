package dev.apus.core;

/** What one session takes from its model's prefix cache, and leaves there. */
final class PrefixUse {

  private final PrefixCache cache;
  private final int variant;
  private final int grain;
  private int[] stops = {};
  private boolean keepsEnd;

  PrefixUse(PrefixCache cache, int variant, int grain) {
    this.cache = cache;
    this.variant = variant;
    this.grain = grain;
  }

  /** Must be called when a session that has tokens to compute is about to do so. */
  void begin(Sequence sequence) {
    if (sequence.state().length() == 0) {
      cache.start(sequence, variant);
    }
    keepsEnd = PrefixCache.isWorthKeeping(sequence.state().length(), sequence.due());
    stops = keepsEnd ? cache.stops(sequence, variant, grain) : new int[0];
  }

  /** Where to stop between two lengths of the session; the second one if nowhere before. */
  int stop(int from, int to) {
    for (int stop : stops) {
      if (stop > from && stop < to) {
        return stop;
      }
    }
    return to;
  }

  /** Must be called after each step of the sequence. */
  void advanced(Sequence sequence, float[] logits, boolean exact) {
    boolean stopped = logits != null && keepsEnd;
    for (int stop : stops) {
      stopped |= stop == sequence.state().length();
    }
    if (stopped) {
      cache.keep(sequence, variant, grain, logits, exact);
    }
    keepsEnd &= logits == null;
  }

  /** Must be called when a generation has ended. */
  void settle(Sequence sequence, boolean exact) {
    cache.keep(sequence, variant, grain, null, exact);
  }
}
