package dev.apus.attention.softmax;

import dev.apus.core.config.Config;

/**
 * The settings of attention along a path.
 *
 * @param heads query heads
 * @param kvHeads heads of keys, values and maps, each shared by {@code heads / kvHeads} query heads
 * @param headDim values of a query, a key, a value and a map's direction
 * @param scale factor on scores
 * @param taps tokens that the directions are convolved over; 0 for no convolution
 * @param latent how many values directions are made of; 0 for the row itself
 * @param forgets whether each head has a forget gate
 */
record PathSpec(
    int heads, int kvHeads, int headDim, float scale, int taps, int latent, boolean forgets) {

  static PathSpec read(Config c) {
    int heads = c.positive("heads");
    int kvHeads = c.positive("kvHeads", heads);
    if (heads % kvHeads != 0) {
      throw c.error("heads=%d is not divisible by kvHeads=%d", heads, kvHeads);
    }
    int headDim = c.positive("headDim");
    if ((long) heads * headDim > Integer.MAX_VALUE / 3) {
      throw c.error("heads=%d of %d values are too many for a row", heads, headDim);
    }
    float scale = c.real("scale", (float) (1 / Math.sqrt(headDim)));
    int taps = c.count("taps", 3);
    int latent = c.count("latent", 0);
    return new PathSpec(heads, kvHeads, headDim, scale, taps, latent, c.flag("forgets", false));
  }

  int group() {
    return heads / kvHeads;
  }

  int queryCols() {
    return heads * headDim;
  }

  int keyCols() {
    return kvHeads * headDim;
  }

  /** What is kept of a token in a head: its key, its map's direction, its value. */
  int keptDim() {
    return 3 * headDim;
  }
}
