package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Noise in the vectors of tokens, of which those of a text without noise have length 1.
 *
 * @param width values of a vector
 * @param frequencies values of the waves by which a model is told the level, half of them cosines
 * @param range of the logarithms of these frequencies, from {@code −range} to {@code range}
 * @param units of the learned schedule
 * @see <a href="https://arxiv.org/abs/2305.18619">Likelihood-Based Diffusion Language Models</a>
 */
public record GaussianSpec(int width, int frequencies, double range, int units) {

  public GaussianSpec {
    if (width < 1 || units < 1 || frequencies < 4 || frequencies % 2 != 0) {
      throw new IllegalArgumentException(
          "vectors of "
              + width
              + " values, "
              + frequencies
              + " waves and "
              + units
              + " units; needed: 1 or more, and at least two pairs of waves");
    }
    if (!(range > 0 && range < 100)) {
      throw new IllegalArgumentException("range=" + range + "; needed: above 0 and below 100");
    }
  }

  /** The settings that {@link #read} reads. */
  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("width", width);
    map.put("frequencies", frequencies);
    map.put("range", range);
    map.put("units", units);
    return map;
  }

  static GaussianSpec read(Config c) {
    try {
      var spec =
          new GaussianSpec(
              c.positive("width"),
              c.positive("frequencies", 64),
              c.number("range", 5),
              c.positive("units", 1024));
      if (!c.unread().isEmpty()) {
        throw c.error("%s is not a setting of gaussian noise", c.unread().getFirst());
      }
      return spec;
    } catch (IllegalArgumentException e) {
      throw c.error("%s", e.getMessage());
    }
  }
}
