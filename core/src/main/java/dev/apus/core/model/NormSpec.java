package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * How a norm normalises.
 *
 * @param type {@code rms}, {@code layer}, or {@code affine}, which only scales
 * @param epsilon what keeps the root away from zero
 * @param weighted whether each value has a learned factor
 * @param biased whether each value has a learned offset; not {@code rms}
 */
public record NormSpec(Type type, double epsilon, boolean weighted, boolean biased) {

  /** The mean that is divided by. */
  public enum Type {
    RMS,
    LAYER,
    /** None: {@code (x + bias) · weight}, as residual streams are scaled. */
    AFFINE
  }

  /** Learned factors and offsets alone. */
  public static final NormSpec AFFINE = new NormSpec(Type.AFFINE, 0, true, true);

  public NormSpec {
    if (biased && (type == Type.RMS || !weighted)) {
      throw new IllegalArgumentException("only a weighted layer norm has a bias");
    }
    if (type == Type.AFFINE && !(weighted && biased && epsilon == 0)) {
      throw new IllegalArgumentException("an affine norm has a weight, a bias and no epsilon");
    }
    if (!(epsilon >= 0 && epsilon < 1)) {
      throw new IllegalArgumentException("epsilon must be in [0, 1), found " + epsilon);
    }
  }

  public static NormSpec rms(double epsilon) {
    return new NormSpec(Type.RMS, epsilon, true, false);
  }

  public static NormSpec layer(double epsilon, boolean biased) {
    return new NormSpec(Type.LAYER, epsilon, true, biased);
  }

  public NormSpec unweighted() {
    return new NormSpec(type, epsilon, false, false);
  }

  /** A norm as an architecture document writes it; its keys are those of {@link #toMap}. */
  public static NormSpec read(Config c) {
    Type type =
        Type.valueOf(c.choice("type", "rms", "rms", "layer", "affine").toUpperCase(Locale.ROOT));
    if (type == Type.AFFINE) {
      return AFFINE;
    }
    double epsilon = c.number("epsilon", 1e-6);
    boolean weighted = c.flag("weighted", true);
    boolean biased = c.flag("biased", false);
    try {
      return new NormSpec(type, epsilon, weighted, biased);
    } catch (IllegalArgumentException e) {
      throw c.error("%s", e.getMessage());
    }
  }

  /** The settings that {@link #read} reads. */
  public Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("type", type.name().toLowerCase(Locale.ROOT));
    if (type == Type.AFFINE) {
      return map;
    }
    map.put("epsilon", epsilon);
    map.put("weighted", weighted);
    map.put("biased", biased);
    return map;
  }
}
