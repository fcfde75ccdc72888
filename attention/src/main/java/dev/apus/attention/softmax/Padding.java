package dev.apus.attention.softmax;

import dev.apus.core.config.Config;

/**
 * To which lengths texts were filled up where a model was made: nobody sees what was added, but it
 * shows in how many chunks there are.
 *
 * @param multiple of which a text's length was made one
 */
record Padding(int multiple) {

  static Padding read(Config c, int chunk) {
    Padding padding = new Padding(c.positive("multiple", chunk));
    if (padding.multiple % chunk != 0) {
      throw c.errorAt(
          "multiple", "multiple=%d must be one of chunks of %d", padding.multiple, chunk);
    }
    return padding;
  }

  /** The length that a text of so many tokens has then. */
  int length(int tokens) {
    return Math.multiplyExact(Math.ceilDiv(tokens, multiple), multiple);
  }
}
