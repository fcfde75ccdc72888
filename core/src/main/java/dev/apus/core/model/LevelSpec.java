package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How each branch of a diffusion model is told how noisy its text is.
 *
 * @param width values that stand for a level
 * @param frequencies values of the waves that these are made of, half of them cosines
 * @param told whether the level is told; otherwise it is 0 whatever the noise, and what is made of
 *     it are constants
 * @see LevelEmbedding
 */
public record LevelSpec(int width, int frequencies, boolean told) {

  public LevelSpec {
    if (width < 1 || frequencies < 2 || frequencies % 2 != 0) {
      throw new IllegalArgumentException(
          "a level of " + width + " values is made of " + frequencies + " waves; needed: pairs");
    }
  }

  /** The settings that {@link #read} reads. */
  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("width", width);
    map.put("frequencies", frequencies);
    map.put("told", told);
    return map;
  }

  static LevelSpec read(Config c) {
    int frequencies = c.positive("frequencies", 256);
    if (frequencies % 2 != 0) {
      throw c.errorAt("frequencies", "frequencies=%d must be even", frequencies);
    }
    var modulation = new LevelSpec(c.positive("width"), frequencies, c.flag("told", true));
    if (!c.unread().isEmpty()) {
      throw c.error("%s is not a setting of modulation", c.unread().getFirst());
    }
    return modulation;
  }
}
