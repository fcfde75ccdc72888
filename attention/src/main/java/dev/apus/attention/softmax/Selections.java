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
   * @param placed whether its scores depend on positions in the text
   * @param borrows whether its keys and values are another layer's, or values are several heads'
   */
  record Layer(
      int index,
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

    /** Refuses a choice that changes the cache where that is another layer's. */
    void requireOwn(Config select) {
      if (borrows) {
        throw select.error(
            "select.kind=\"%s\" gives keys up, and layer %d shares keys or values with others",
            select.word("kind"), index);
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
    if (window > 0) {
      throw c.errorAt("window", "window=%d: a layer that selects keys has no window", window);
    }
    Config select = c.section("select");
    Maker maker =
        switch (select.choice(
            "kind",
            null,
            "duo",
            "full",
            "h2o",
            "moba",
            "quest",
            "snapkv",
            "streaming",
            "tova",
            "vertical-slash",
            "xattention")) {
          case "duo" -> DuoKeys.read(select);
          case "h2o" -> EarnedKeys.read(select, EarnedKeys.Rule.SUM);
          case "moba" -> mixtureOfBlocks(c, select);
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
}
