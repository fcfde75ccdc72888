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
 * @param group values that have a mean of their own, and share the weights of the other groups; 0
 *     for all of a row
 */
public record NormSpec(Type type, double epsilon, boolean weighted, boolean biased, int group) {

  /** The mean that is divided by. */
  public enum Type {
    RMS,
    LAYER,
    /**
     * None: {@code (x + bias) · weight}, as residual streams are scaled; the bias may be missing.
     */
    AFFINE
  }

  /** Learned factors and offsets alone. */
  public static final NormSpec AFFINE = new NormSpec(Type.AFFINE, 0, true, true, 0);

  /** A learned factor for each value. */
  public static final NormSpec SCALED = new NormSpec(Type.AFFINE, 0, true, false, 0);

  public NormSpec {
    if (biased && (type == Type.RMS || !weighted)) {
      throw new IllegalArgumentException("only a weighted layer norm has a bias");
    }
    if (type == Type.AFFINE && !(weighted && epsilon == 0)) {
      throw new IllegalArgumentException("an affine norm has a weight and no epsilon");
    }
    if (group < 0) {
      throw new IllegalArgumentException("group must not be negative, found " + group);
    }
    if (!(epsilon >= 0 && epsilon < 1)) {
      throw new IllegalArgumentException("epsilon must be in [0, 1), found " + epsilon);
    }
  }

  public static NormSpec rms(double epsilon) {
    return new NormSpec(Type.RMS, epsilon, true, false, 0);
  }

  public static NormSpec layer(double epsilon, boolean biased) {
    return new NormSpec(Type.LAYER, epsilon, true, biased, 0);
  }

  public NormSpec unweighted() {
    return new NormSpec(type, epsilon, false, false, group);
  }

  /** This norm of each {@code size} values, with one weight for all of these groups. */
  public NormSpec grouped(int size) {
    return new NormSpec(type, epsilon, weighted, biased, size);
  }

  /** A norm as an architecture document writes it; its keys are those of {@link #toMap}. */
  public static NormSpec read(Config c) {
    Type type =
        Type.valueOf(c.choice("type", "rms", "rms", "layer", "affine").toUpperCase(Locale.ROOT));
    int group = c.count("group", 0);
    if (type == Type.AFFINE) {
      return (c.flag("biased", true) ? AFFINE : SCALED).grouped(group);
    }
    double epsilon = c.number("epsilon", 1e-6);
    boolean weighted = c.flag("weighted", true);
    boolean biased = c.flag("biased", false);
    try {
      return new NormSpec(type, epsilon, weighted, biased, group);
    } catch (IllegalArgumentException e) {
      throw c.error("%s", e.getMessage());
    }
  }

  /** The settings that {@link #read} reads. */
  public Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("type", type.name().toLowerCase(Locale.ROOT));
    if (type != Type.AFFINE) {
      map.put("epsilon", epsilon);
      map.put("weighted", weighted);
    }
    if (type != Type.AFFINE || !biased) {
      map.put("biased", biased);
    }
    if (group > 0) {
      map.put("group", group);
    }
    return map;
  }
}
