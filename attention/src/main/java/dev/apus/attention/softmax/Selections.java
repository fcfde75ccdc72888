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
   * @param borrows whether its keys and values are another layer's
   */
  record Layer(
      int index, Heads heads, Attention kernel, Traits traits, Biases biases, boolean borrows) {}

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
        switch (select.choice("kind", null, "duo", "full", "streaming")) {
          case "duo" -> DuoKeys.read(select);
          case "streaming" -> SinkKeys.read(select);
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
