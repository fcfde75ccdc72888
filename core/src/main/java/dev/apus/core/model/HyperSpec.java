package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How a model with several residual streams joins its steps to them.
 *
 * @param rate how many residual streams there are
 * @param iterations how often the matrix that mixes them is normalised, rows and columns
 * @param epsilon what keeps its sums, and the weights of what is read, away from zero
 * @param normEpsilon of the norm of all streams, of which the weights are made
 * @param mean whether the streams end as their mean; otherwise as a learned sum
 * @see HyperConnection
 */
public record HyperSpec(
    int rate, int iterations, double epsilon, double normEpsilon, boolean mean) {

  /** Far more streams than any model has. */
  private static final int MOST = 64;

  static HyperSpec read(Config c) {
    int rate = c.positive("rate");
    if (rate > MOST) {
      throw c.errorAt("rate", "rate=%d is above %d", rate, MOST);
    }
    HyperSpec spec =
        new HyperSpec(
            rate,
            c.positive("iterations", 20),
            small(c, "epsilon"),
            small(c, "normEpsilon"),
            c.choice("end", "learned", "learned", "mean").equals("mean"));
    if (!c.unread().isEmpty()) {
      throw c.error("%s is not a setting of hyper-connections", c.unread().getFirst());
    }
    return spec;
  }

  private static double small(Config c, String key) {
    double value = c.number(key, 1e-6);
    if (!(value >= 0 && value < 1)) {
      throw c.errorAt(key, "%s=%s must be at least 0 and below 1", key, value);
    }
    return value;
  }

  /** The settings that {@link #read} reads. */
  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("rate", rate);
    map.put("iterations", iterations);
    map.put("epsilon", epsilon);
    map.put("normEpsilon", normEpsilon);
    map.put("end", mean ? "mean" : "learned");
    return map;
  }
}
