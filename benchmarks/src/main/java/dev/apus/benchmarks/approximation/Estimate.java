package dev.apus.benchmarks.approximation;

import java.util.LinkedHashMap;
import java.util.Map;

/** Ways to estimate softmax attention by random features. */
enum Estimate {
  PERFORMER("Performer, orthogonal", "favor", true),
  PERFORMER_INDEPENDENT("Performer, independent", "favor", false),
  RFA("RFA, orthogonal", "fourier", true),
  RFA_INDEPENDENT("RFA, independent", "fourier", false);

  private final String title;
  private final String map;
  private final boolean orthogonal;

  Estimate(String title, String map, boolean orthogonal) {
    this.title = title;
    this.map = map;
    this.orthogonal = orthogonal;
  }

  String title() {
    return title;
  }

  private boolean isPositive() {
    return map.equals("favor");
  }

  /** The settings of the softmax attention that is estimated. */
  Map<String, Object> exact(int heads, int headDim) {
    Map<String, Object> settings = new LinkedHashMap<>(Map.of("heads", heads, "headDim", headDim));
    if (!isPositive()) {
      // Queries and keys of length 1: after the norm, of the root of headDim.
      settings.put("norm", Map.of("type", "rms", "epsilon", 0, "weighted", false));
      settings.put("scale", 1.0 / headDim);
    }
    return settings;
  }

  /** The settings of linear attention with so many features. */
  Map<String, Object> estimated(int heads, int headDim, int features, int seed) {
    // A direction gives one positive feature, or a sine and a cosine.
    int size = isPositive() ? features : features / 2;
    return Map.of(
        "heads",
        heads,
        "keyDim",
        headDim,
        "features",
        Map.of("map", map, "size", size, "seed", seed, "orthogonal", orthogonal),
        "denominator",
        Map.of());
  }
}
