package dev.apus.attention.softmax;

import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.config.Config;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import java.util.List;

/** Reads which keys the queries of a layer visit: the section {@code select} of its settings. */
final class Selections {

  private Selections() {}

  /**
   * The layer whose queries choose.
   *
   * @param index counted from 0
   * @param layers how many the model has
   * @param placed whether its scores depend on positions in the text
   * @param borrows whether its keys and values are another layer's, or values are several heads'
   */
  record Layer(
      int index,
      int layers,
      Heads heads,
      Attention kernel,
      Traits traits,
      Biases biases,
      boolean placed,
      boolean borrows) {

    /** Refuses a choice that goes by products of queries and keys alone. */
    void requireProducts(Config select) {
      if (placed) {
        throw select.error(
            "select.kind=\"%s\" goes by products of queries with keys, and the scores of layer %d"
                + " also depend on distances (ALiBi, forget gates)",
            select.word("kind"), index);
      }
    }

    /** Refuses a choice that changes the cache where that is another layer's, or settles. */
    void requireOwn(Config select) {
      if (borrows) {
        throw select.error(
            "select.kind=\"%s\" gives keys up, and layer %d shares keys or values with others",
            select.word("kind"), index);
      }
      if (kernel.format().settles()) {
        throw select.error(
            "select.kind=\"%s\" moves keys and values, and those of a cache in %s settle where they"
                + " are (layer %d); keep them as f32 or bf16",
            select.word("kind"), kernel.format(), index);
      }
    }
  }

  /** Settings that have been read, for a layer. */
  @FunctionalInterface
  interface Maker {
    /**
     * @throws dev.apus.core.config.ConfigException if the layer cannot choose so
     */
    KeySelection make(Layer layer);
  }

  /**
   * The selection of a layer that may have {@code window} and {@code pinned}, or a section {@code
   * select} with its kind.
   */
  static Maker read(Config c) {
    int window = c.count("window", 0);
    int pinned = c.count("pinned", 0);
    if (pinned > 0 && window == 0) {
      throw c.errorAt(
          "pinned", "pinned=%d needs a window: without one, every token sees the first", pinned);
    }
    return read(c, window, pinned);
  }

  /** The same for a layer whose window is known. */
  static Maker read(Config c, int window, int pinned) {
    if (!c.has("select")) {
      var near = new NearKeys(window, pinned);
      return layer -> near;
    }
    Config select = c.section("select");
    boolean global = select.word("kind").equals("global");
    if (pinned > 0 || (window > 0 && !global)) {
      throw c.errorAt(
          "select", "select.kind=\"%s\" has no window and no pinned tokens", select.word("kind"));
    }
    Maker maker =
        switch (select.choice(
            "kind",
            null,
            "axial",
            "blocks",
            "chunks",
            "dilated",
            "duo",
            "fixed",
            "full",
            "global",
            "h2o",
            "moba",
            "neighbours",
            "quest",
            "segments",
            "snapkv",
            "streaming",
            "strided",
            "tova",
            "vertical-slash",
            "xattention")) {
          case "axial" -> patterned(c, new KeyPattern.Axial(select.positive("width")));
          case "blocks" -> patterned(c, blocks(select));
          case "chunks" -> patterned(c, new KeyPattern.Chunks(select.positive("size")));
          case "dilated" ->
              patterned(
                  c, new KeyPattern.Dilated(select.positive("count"), select.positive("step")));
          case "fixed" -> patterned(c, fixed(select));
          case "global" -> patterned(c, global(select, window));
          case "segments" -> patterned(c, segments(select));
          case "strided" -> patterned(c, new KeyPattern.Strided(select.positive("stride")));
          case "duo" -> DuoKeys.read(select);
          case "h2o" -> EarnedKeys.read(select, EarnedKeys.Rule.SUM);
          case "moba" -> mixtureOfBlocks(c, select);
          case "neighbours" -> patterned(c, Neighbours.read(select));
          case "quest" -> QuestKeys.read(select);
          case "snapkv" -> VotedKeys.read(select);
          case "streaming" -> SinkKeys.read(select);
          case "tova" -> EarnedKeys.read(select, EarnedKeys.Rule.NOW);
          case "vertical-slash" -> VerticalSlash.read(select);
          case "xattention" -> Antidiagonals.read(select);
          default -> layer -> NearKeys.ALL;
        };
    if (!select.unread().isEmpty()) {
      List<String> known = select.asked().stream().filter(key -> !key.equals("kind")).toList();
      throw select.error(
          "%s is not a setting of %s; there are: %s",
          select.unread().getFirst(),
          select.word("kind"),
          known.isEmpty() ? "none" : String.join(", ", known));
    }
    return maker;
  }

  private static Maker mixtureOfBlocks(Config c, Config select) {
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
    var blocks = new MixtureOfBlocks(select.positive("block"), top);
    return layer -> blocks;
  }

  /** A pattern of positions, which query heads that forget must have in common. */
  private static Maker patterned(Config c, KeyPattern pattern) {
    var selection = new PatternedKeys(pattern);
    int heads = c.count("heads", 1);
    boolean shared = c.count("kvHeads", heads) < heads;
    if (selection.isByHead() && shared && c.flag("forgets", false)) {
      throw c.errorAt("select", "heads that forget and share a key must visit the same slots");
    }
    return layer -> selection;
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
