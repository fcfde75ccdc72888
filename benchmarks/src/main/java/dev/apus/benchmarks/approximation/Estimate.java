package dev.apus.benchmarks.approximation;

import java.util.LinkedHashMap;
import java.util.Map;

/** Ways to estimate softmax attention by random features. */
enum Estimate {
  PERFORMER("Performer, orthogonal", true, true, false),
  PERFORMER_INDEPENDENT("Performer, independent", true, false, false),
  RFA("RFA, orthogonal", false, true, false),
  RFA_INDEPENDENT("RFA, independent", false, false, false),
  PERFORMER_SHARP("Performer, orthogonal, scores by √d", true, true, true);

  private final String title;
  private final boolean positive;
  private final boolean orthogonal;
  private final boolean sharp;

  /**
   * @param sharp whether scores are divided by the root of how many values a head has, and not by
   *     their number, which makes queries and keys about 1 long
   */
  Estimate(String title, boolean positive, boolean orthogonal, boolean sharp) {
    this.title = title;
    this.positive = positive;
    this.orthogonal = orthogonal;
    this.sharp = sharp;
  }

  String title() {
    return title;
  }

  private double scale(int headDim) {
    return sharp ? 1 / Math.sqrt(headDim) : 1.0 / headDim;
  }

  /** The settings of the softmax attention that is estimated. */
  Map<String, Object> exact(int heads, int headDim) {
    Map<String, Object> settings =
        new LinkedHashMap<>(Map.of("heads", heads, "headDim", headDim, "scale", scale(headDim)));
    if (!positive) {
      settings.put("norm", Map.of("type", "rms", "epsilon", 0, "weighted", false));
    }
    return settings;
  }

  /** The settings of linear attention with so many features. */
  Map<String, Object> estimated(int heads, int headDim, int features, int seed) {
    Map<String, Object> map = new LinkedHashMap<>(Map.of("seed", seed, "orthogonal", orthogonal));
    // A direction gives one positive feature, or a sine and a cosine.
    map.put("map", positive ? "favor" : "fourier");
    map.put("size", positive ? features : features / 2);
    if (positive) {
      map.put("scale", scale(headDim));
    }
    return Map.of("heads", heads, "keyDim", headDim, "features", map, "denominator", Map.of());
  }
}
