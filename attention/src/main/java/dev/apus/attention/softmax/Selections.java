package dev.apus.attention.softmax;

import dev.apus.core.config.Config;
import java.util.List;

/** The key selections that a layer's section {@code select} may name by its {@code kind}. */
final class Selections {

  private Selections() {}

  /**
   * Reads a layer's selection; without the section, it is its window, or all keys.
   *
   * @param c the layer's settings
   * @param window as the layer sets it; 0 for none
   */
  static KeySelection read(Config c, int window, int pinned) {
    if (!c.has("select")) {
      return window == 0 ? NearKeys.ALL : new NearKeys(window, pinned);
    }
    Config s = c.section("select");
    String kind = s.word("kind");
    if (pinned > 0 || (window > 0 && !kind.equals("global"))) {
      throw c.errorAt("select", "select.kind=\"%s\" has no window and no pinned tokens", kind);
    }
    KeySelection selection =
        kind.equals("moba") ? mixtureOfBlocks(c, s) : patterned(s, kind, window);
    if (!s.unread().isEmpty()) {
      throw s.error("%s is not a setting of the kind \"%s\"", s.unread().getFirst(), kind);
    }
    return selection;
  }

  private static KeySelection patterned(Config s, String kind, int window) {
    return new PatternedKeys(
        switch (kind) {
          case "chunks" -> new KeyPattern.Chunks(s.positive("size"));
          case "strided" -> new KeyPattern.Strided(s.positive("stride"));
          case "fixed" -> fixed(s);
          case "dilated" -> new KeyPattern.Dilated(s.positive("count"), s.positive("step"));
          case "axial" -> new KeyPattern.Axial(s.positive("width"));
          case "segments" -> segments(s);
          case "global" -> global(s, window);
          case "blocks" -> blocks(s);
          default ->
              throw s.errorAt(
                  "kind",
                  "select.kind=\"%s\" is not supported; supported: chunks, strided, fixed, dilated,"
                      + " axial, segments, global, blocks, moba",
                  kind);
        });
  }

  private static KeySelection mixtureOfBlocks(Config c, Config s) {
    if (c.real("alibi", 0) != 0 || c.flag("forgets", false)) {
      throw s.errorAt(
          "kind",
          "select.kind=\"moba\": scores that depend on positions cannot be shared by blocks");
    }
    int top = s.positive("top");
    if (top < 2) {
      throw s.errorAt(
          "top", "select.top=%d: a query visits its own block and at least one other", top);
    }
    return new MixtureOfBlocks(s.positive("block"), top);
  }

  private static KeyPattern fixed(Config s) {
    int block = s.positive("block");
    int summary = s.positive("summary");
    if (summary > block) {
      throw s.errorAt("summary", "select.summary=%d is more than select.block=%d", summary, block);
    }
    return new KeyPattern.Fixed(block, summary);
  }

  private static KeyPattern segments(Config s) {
    int[] sizes = positive(s, "sizes");
    int[] rates = positive(s, "rates");
    if (sizes.length == 0 || sizes.length != rates.length) {
      throw s.errorAt(
          "rates", "select.rates must have a number for each of sizes, and one at least");
    }
    boolean covered = false;
    for (int rate : rates) {
      covered |= rate == 1;
    }
    if (!covered) {
      throw s.errorAt(
          "rates", "select.rates must have a 1: else there are tokens that see nothing");
    }
    return new KeyPattern.Segments(sizes, rates);
  }

  private static int[] positive(Config s, String key) {
    int[] values = s.integers(key).stream().mapToInt(i -> i).toArray();
    for (int value : values) {
      if (value < 1) {
        throw s.errorAt(key, "select.%s has %d; needed: 1 at least", key, value);
      }
    }
    return values;
  }

  private static KeyPattern global(Config s, int window) {
    if (window == 0) {
      throw s.errorAt(
          "kind", "select.kind=\"global\" needs a window: without one, all tokens are global");
    }
    List<Integer> tokens = s.integers("tokens");
    int[] positions = tokens.stream().mapToInt(i -> i).sorted().distinct().toArray();
    if (positions.length > 0 && positions[0] < 0) {
      throw s.errorAt("tokens", "select.tokens has %d; needed: positions from 0 on", positions[0]);
    }
    return new KeyPattern.Global(window, positions, false);
  }

  private static KeyPattern blocks(Config s) {
    int random = s.count("random", 0);
    return new RandomBlocks(
        s.positive("block"),
        s.count("near", 1),
        random,
        random == 0 ? 0 : s.integer("seed"),
        s.positive("firstCounts", 1),
        s.count("whole", 0));
  }
}
