package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How much noise a text has had at a time from 0, none, to 1, all: the level σ(t), after which a
 * token was left alone with the probability {@code e^−σ}.
 *
 * @param kind how the level grows
 * @param least the level at time 0; with {@link Kind#LOG_LINEAR} the share of tokens that is left
 *     at time 1
 * @param most the level at time 1; with {@link Kind#LOG_LINEAR} unused, and 0
 */
public record NoiseLevels(Kind kind, double least, double most) implements NoiseSchedule {

  /** How the level grows. */
  public enum Kind {
    /** {@code −ln(1 − (1 − least) t)}: as many tokens get noise at any time. */
    LOG_LINEAR,
    /** {@code least^(1 − t) most^t}. */
    GEOMETRIC
  }

  /** As many tokens get noise at any time, until one in a thousand is left. */
  public static final NoiseLevels STANDARD = logLinear(1e-3);

  public NoiseLevels {
    boolean fits =
        kind == Kind.LOG_LINEAR
            ? least > 0 && least < 1 && most == 0
            : least > 0 && least < most && most < Double.POSITIVE_INFINITY;
    if (!fits) {
      throw new IllegalArgumentException(
          kind + " noise from " + least + " to " + most + " does not grow from near 0 on");
    }
  }

  /**
   * Levels of which each time has as many tokens that get noise.
   *
   * @param rest the share of tokens that is left at time 1
   */
  public static NoiseLevels logLinear(double rest) {
    return new NoiseLevels(Kind.LOG_LINEAR, rest, 0);
  }

  public static NoiseLevels geometric(double least, double most) {
    return new NoiseLevels(Kind.GEOMETRIC, least, most);
  }

  /** The level σ at a time. */
  @Override
  public double at(double time) {
    return kind == Kind.LOG_LINEAR
        ? -StrictMath.log1p(-(1 - least) * time)
        : StrictMath.pow(least, 1 - time) * StrictMath.pow(most, time);
  }

  /** How fast the level grows at a time: {@code dσ/dt}. */
  @Override
  public double rate(double time) {
    return kind == Kind.LOG_LINEAR
        ? (1 - least) / (1 - (1 - least) * time)
        : at(time) * StrictMath.log(most / least);
  }

  /** The settings that {@link #read} reads. */
  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("type", kind == Kind.LOG_LINEAR ? "log-linear" : "geometric");
    map.put(kind == Kind.LOG_LINEAR ? "rest" : "least", least);
    if (kind == Kind.GEOMETRIC) {
      map.put("most", most);
    }
    return map;
  }

  static NoiseLevels read(Config c) {
    boolean linear = c.choice("type", "log-linear", "log-linear", "geometric").equals("log-linear");
    double first = c.number(linear ? "rest" : "least", linear ? STANDARD.least : 1e-3);
    double most = linear ? 0 : c.number("most", 1);
    if (!c.unread().isEmpty()) {
      throw c.error("%s is not a setting of noise levels", c.unread().getFirst());
    }
    try {
      return new NoiseLevels(linear ? Kind.LOG_LINEAR : Kind.GEOMETRIC, first, most);
    } catch (IllegalArgumentException e) {
      throw c.error("%s", e.getMessage());
    }
  }
}
