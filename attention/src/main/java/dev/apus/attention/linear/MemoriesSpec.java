package dev.apus.attention.linear;

import dev.apus.core.config.Config;
import dev.apus.core.routing.Router;
import dev.apus.core.routing.Score;

/**
 * The settings of a {@link MixtureOfMemories}.
 *
 * @param memories how many a token chooses from
 * @param top how many it chooses
 * @param shared whether there is one more that all tokens are in
 * @param apart whether each memory has projections of its own; otherwise all have the same
 * @param delta the rule of each memory
 */
record MemoriesSpec(int memories, int top, boolean shared, boolean apart, DeltaSpec delta) {

  static MemoriesSpec read(Config c) {
    int memories = c.positive("memories");
    int top = c.positive("top");
    if (top > memories) {
      throw c.error("top=%d is more than memories=%d", top, memories);
    }
    DeltaSpec delta = DeltaSpec.read(c);
    if (delta.decayLatent() > 0) {
      throw c.errorAt(
          "decayLatent",
          "decayLatent=%d is not supported; supported: 0, decays of the row itself",
          delta.decayLatent());
    }
    if (delta.channelGates()) {
      throw c.errorAt(
          "channelGates",
          "channelGates=true is not supported; supported: false, one strength of each head");
    }
    return new MemoriesSpec(memories, top, c.flag("shared", false), c.flag("apart", true), delta);
  }

  /** Those of {@link #memories}, and after them the shared one. */
  int all() {
    return memories + (shared ? 1 : 0);
  }

  /** How many memories a token is in. */
  int each() {
    return top + (shared ? 1 : 0);
  }

  /** A softmax over the logits of the chosen. */
  Router router() {
    return new Router(memories, top, Score.SOFTMAX, false, null, true, 0, 1);
  }
}
