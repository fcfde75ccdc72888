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
   * @param borrows whether its keys and values are another layer's
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
            "select.kind=\"%s\" gives keys up, and those of layer %d are another layer's",
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
   * @param c of the layer
   */
  static Maker read(Config c, int window, int pinned) {
    if (!c.has("select")) {
      var near = new NearKeys(window, pinned);
      return layer -> near;
    }
    if (window > 0) {
      throw c.errorAt("select", "a layer has a window or a selection, found both");
    }
    Config select = c.section("select");
    Maker maker =
        switch (select.choice(
            "kind",
            null,
            "duo",
            "full",
            "h2o",
            "quest",
            "snapkv",
            "streaming",
            "tova",
            "vertical-slash",
            "xattention")) {
          case "duo" -> DuoKeys.read(select);
          case "h2o" -> EarnedKeys.read(select, EarnedKeys.Rule.SUM);
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
}
