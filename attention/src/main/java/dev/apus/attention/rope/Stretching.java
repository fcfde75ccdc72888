package dev.apus.attention.rope;

import dev.apus.core.config.Config;
import java.util.List;

/**
 * A way of stretching a rotary embedding to longer contexts. Each has its own settings and reads no
 * others; {@link Frequencies} computes what they mean.
 */
public sealed interface Stretching {

  /** Smaller divisors of an angle could take it past what a float holds, far into a sequence. */
  double LEAST_DIVISOR = 1e-6;

  /** Angles as they are. */
  record Plain() implements Stretching {}

  /** All pairs slowed alike. */
  record Linear(double factor) implements Stretching {}

  /**
   * A base that grows with the length of the sequence.
   *
   * @param original the context that needs no stretching
   */
  record Dynamic(double factor, int original) implements Stretching {}

  /**
   * Slow pairs slowed, fast ones kept.
   *
   * @param original the context that the bounds are relative to
   * @param lowFrequency turns within the original context below which a pair is slowed
   * @param highFrequency turns within the original context above which it is kept
   */
  record Llama3(double factor, int original, double lowFrequency, double highFrequency)
      implements Stretching {}

  /**
   * Slow pairs slowed, fast ones kept, with a ramp over the pairs between them.
   *
   * @param original the context that the turns are counted in
   * @param betaFast turns of the last pair that is kept
   * @param betaSlow turns of the first pair that is slowed in full
   * @param truncate whether the ramp begins and ends at whole pairs
   */
  record Yarn(double factor, int original, double betaFast, double betaSlow, boolean truncate)
      implements Stretching {}

  /**
   * A divisor for each pair, of which there is one list for short sequences and one for long.
   *
   * @param factor how far the context is stretched, for the factor on queries and keys
   * @param original the longest sequence that counts as short
   */
  record LongRope(double factor, int original, List<Double> shortFactors, List<Double> longFactors)
      implements Stretching {}

  /** A divisor for each pair; a pair with an infinite one does not turn. */
  record Factors(List<Double> factors) implements Stretching {}

  /** Frequencies spread over the whole head, and all slowed alike. */
  record Proportional(double factor) implements Stretching {}

  /**
   * Reads {@code type} and the settings of that type.
   *
   * @param theta the base of the angles
   * @param pairs how many pairs of values turn
   * @param context the original context, if the settings do not say
   */
  static Stretching read(Config c, double theta, int pairs, int context) {
    String type =
        c.choice(
            "type",
            "default",
            "default",
            "linear",
            "dynamic",
            "llama3",
            "yarn",
            "longrope",
            "factors",
            "proportional");
    return switch (type) {
      case "default" -> new Plain();
      case "linear" -> new Linear(factor(c));
      case "dynamic" -> new Dynamic(factor(c), c.positive("original", context));
      case "llama3" -> llama3(c, context);
      case "yarn" -> yarn(c, theta, context);
      case "longrope" -> longRope(c, pairs, context);
      case "factors" -> new Factors(divisors(c, "factors", pairs));
      case "proportional" -> new Proportional(factor(c));
      default -> throw new IllegalStateException(type);
    };
  }

  private static double factor(Config c) {
    double factor = c.number("factor", 1);
    if (!(factor >= LEAST_DIVISOR)) {
      throw c.error("factor=%s must be at least %s", factor, LEAST_DIVISOR);
    }
    return factor;
  }

  private static Llama3 llama3(Config c, int context) {
    double low = c.number("lowFrequency", 1);
    double high = c.number("highFrequency", 4);
    if (!(low > 0)) {
      throw c.error("lowFrequency=%s must be above 0", low);
    }
    if (!(high >= low)) {
      throw c.error("highFrequency=%s must not be below lowFrequency=%s", high, low);
    }
    return new Llama3(factor(c), c.positive("original", context), low, high);
  }

  private static Yarn yarn(Config c, double theta, int context) {
    double fast = c.number("betaFast", 32);
    double slow = c.number("betaSlow", 1);
    if (!(theta > 1)) {
      throw c.error("theta=%s must be above 1", theta);
    }
    if (!(slow > 0)) {
      throw c.error("betaSlow=%s must be above 0", slow);
    }
    if (!(fast >= slow)) {
      throw c.error("betaFast=%s must not be below betaSlow=%s", fast, slow);
    }
    return new Yarn(
        factor(c), c.positive("original", context), fast, slow, c.flag("truncate", true));
  }

  private static LongRope longRope(Config c, int pairs, int context) {
    int original = c.positive("original", context);
    if (original < 2) {
      throw c.error("original=%d must be above 1", original);
    }
    return new LongRope(
        factor(c),
        original,
        finite(c, "shortFactors", divisors(c, "shortFactors", pairs)),
        finite(c, "longFactors", divisors(c, "longFactors", pairs)));
  }

  private static List<Double> divisors(Config c, String key, int pairs) {
    List<Double> divisors = c.numbers(key);
    if (divisors.size() != pairs || !divisors.stream().allMatch(d -> d >= LEAST_DIVISOR)) {
      throw c.error(
          "%s must hold dims / 2 = %d numbers of at least %s, found %s",
          key, pairs, LEAST_DIVISOR, divisors);
    }
    return divisors;
  }

  private static List<Double> finite(Config c, String key, List<Double> divisors) {
    if (divisors.stream().anyMatch(d -> d.isInfinite())) {
      throw c.error("%s must be finite, found %s", key, divisors);
    }
    return divisors;
  }
}
