package dev.apus.attention.softmax;

import dev.apus.core.config.Config;

/** Reads which keys a layer's queries visit. */
final class Selections {

  private Selections() {}

  /**
   * The selection of a mixer's settings: {@code window} and {@code pinned}, {@code keep}, or a
   * section {@code select} with its kind.
   */
  static KeySelection read(Config c) {
    int window = c.count("window", 0);
    int pinned = c.count("pinned", 0);
    if (pinned > 0 && window == 0) {
      throw c.errorAt(
          "pinned", "pinned=%d needs a window: without one, every token sees the first", pinned);
    }
    if (c.count("keep", 0) > 0) {
      return greatestScores(c, c.count("keep"));
    }
    if (!c.has("select")) {
      return new NearKeys(window, pinned);
    }
    Config select = c.section("select");
    if (window > 0) {
      throw c.errorAt("window", "window=%d: a layer that selects keys has no window", window);
    }
    return switch (select.choice("kind", null, "moba")) {
      case "moba" -> mixtureOfBlocks(c, select);
      default -> throw new IllegalStateException();
    };
  }

  private static KeySelection greatestScores(Config c, int keep) {
    boolean others = c.count("window", 0) > 0 || c.has("select");
    if (others || c.flag("forgets", false) || c.flag("sinks", false)) {
      throw c.errorAt(
          "keep", "keep=%d needs a layer without window, select, forgets and sinks", keep);
    }
    return new GreatestScores(keep);
  }

  private static KeySelection mixtureOfBlocks(Config c, Config select) {
    if (c.real("alibi", 0) != 0 || c.flag("forgets", false)) {
      throw select.errorAt(
          "kind",
          "select.kind=\"moba\": scores that depend on positions cannot be shared by blocks");
    }
    int top = select.positive("top");
    if (top < 2) {
      throw select.errorAt(
          "top", "select.top=%d: a query visits its own block and at least one other", top);
    }
    return new MixtureOfBlocks(select.positive("block"), top);
  }
}
