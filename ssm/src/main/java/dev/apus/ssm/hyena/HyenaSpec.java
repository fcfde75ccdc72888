package dev.apus.ssm.hyena;

import dev.apus.core.config.Config;
import dev.apus.kernels.conv.LongConvolution;

/**
 * The settings of {@link Hyena}.
 *
 * @param order products with projections; one filter fewer
 * @param taps length of the short convolution
 * @param length of a filter, at least 2; inputs further back than that are forgotten
 * @param features that a filter's network reads of a position: odd, the position itself and sines
 * @param filterWidth values of each layer of a filter's network
 * @param filterLayers its layers but the first and the last
 * @param fastDecay the fastest filter has faded to {@code fadedTo} after this part of the length
 * @param slowDecay likewise the slowest
 * @param floor what every filter's window has added to it
 */
record HyenaSpec(
    int order,
    int taps,
    int length,
    int features,
    int filterWidth,
    int filterLayers,
    double fastDecay,
    double slowDecay,
    double fadedTo,
    double floor) {

  static HyenaSpec read(Config c, int width, int context) {
    int order = c.positive("order", 2);
    if (order < 2) {
      throw c.errorAt("order", "order=%d must be at least 2", order);
    }
    int taps = c.positive("taps", 3);
    double products = (order + 1.0) * width;
    if (products * Math.max(taps, 2 * LongConvolution.BLOCK) > Integer.MAX_VALUE) {
      throw c.error("order=%d of %d channels are too many for one state", order, width);
    }
    int length = c.positive("length", context);
    if (length < 2) {
      throw c.errorAt("length", "length=%d must be at least 2", length);
    }
    if ((double) length * width > Integer.MAX_VALUE) {
      throw c.errorAt(
          "length", "length=%d of %d channels are more than 2^31 − 1 taps", length, width);
    }
    int features = c.positive("features", 3);
    if (features < 3 || features % 2 == 0) {
      throw c.errorAt("features", "features=%d must be odd and at least 3", features);
    }
    double fadedTo = c.number("fadedTo", 0.01);
    if (fadedTo <= 0 || fadedTo >= 1) {
      throw c.errorAt("fadedTo", "fadedTo=%s must lie between 0 and 1", fadedTo);
    }
    return new HyenaSpec(
        order,
        taps,
        length,
        features,
        c.positive("filterWidth", 64),
        c.count("filterLayers", 2),
        part(c, "fastDecay", 0.3),
        part(c, "slowDecay", 1.5),
        fadedTo,
        c.number("floor", 0));
  }

  private static double part(Config c, String key, double absent) {
    double value = c.number(key, absent);
    if (value <= 0) {
      throw c.errorAt(key, "%s=%s must be positive", key, value);
    }
    return value;
  }
}
