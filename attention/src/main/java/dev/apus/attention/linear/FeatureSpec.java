package dev.apus.attention.linear;

import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The settings of a feature map.
 *
 * @param size values that a head is projected to, or random directions
 * @param eachHead whether each head has a projection of its own
 * @param biased whether projections have biases
 * @param tied whether queries and keys have the same weights
 * @param queriesSumToOne whether a query's features are divided by their sum
 * @param scale factor on {@code q·k}
 * @param norm of each head before all else, or null
 * @param turns how often features are multiplied by themselves, turned on
 * @param seed of random directions
 * @param orthogonal whether random directions are orthogonal to each other
 * @param weighted whether each value of a head has a learned factor, after it has been normalised
 * @param longest the most tokens of a sequence; 0 for any number
 */
public record FeatureSpec(
    Kind kind,
    int size,
    boolean eachHead,
    boolean biased,
    boolean tied,
    boolean queriesSumToOne,
    boolean keysSumToOne,
    float scale,
    NormSpec norm,
    int turns,
    long seed,
    boolean orthogonal,
    boolean weighted,
    int longest) {

  /**
   * The formulas; {@link HeadMaps}, {@link TurnedFeatures}, {@link LearnedTurns} and {@link
   * RandomFeatures} have them.
   */
  enum Kind {
    IDENTITY,
    ELU,
    RELU,
    SOFTMAX,
    /** {@code max(W x, 0)}. */
    T2R,
    /** {@code (W₁ x) ⊙ (W₂ x)}. */
    PRODUCT,
    /** {@code [softmax(W x), softmax(−W x)]}. */
    HEDGEHOG,
    /** {@code softmax([2 W x, −2 W x])}. */
    HEDGEHOG_JOINT,
    DPFP,
    DPFP_SIGNED,
    SQUARED,
    TAYLOR,
    COSFORMER,
    /** Turned by learned angles. */
    LRPE,
    FAVOR,
    FOURIER;

    private static final String[] NAMES =
        Arrays.stream(values())
            .map(kind -> kind.name().toLowerCase(Locale.ROOT).replace('_', '-'))
            .toArray(String[]::new);

    boolean isLearned() {
      return this == T2R || this == PRODUCT || this == HEDGEHOG || this == HEDGEHOG_JOINT;
    }

    boolean isRandom() {
      return this == FAVOR || this == FOURIER;
    }
  }

  /**
   * @param dim values of a head
   * @param context the longest sequence the model was made for
   */
  public static FeatureSpec read(Config c, int dim, int context) {
    Kind kind = Kind.values()[List.of(Kind.NAMES).indexOf(c.choice("map", null, Kind.NAMES))];
    boolean scaled = kind == Kind.SQUARED || kind == Kind.TAYLOR || kind == Kind.FAVOR;
    float scale = scaled ? c.real("scale", (float) (1 / Math.sqrt(dim))) : 1;
    if (!(scale > 0)) {
      throw c.errorAt("scale", "scale=%s must be above 0: features hold its root", scale);
    }
    boolean weighted = kind == Kind.FOURIER && c.flag("weighted", false);
    if (kind.isLearned() && c.flag("eachHead", false) && c.flag("biased", false)) {
      throw c.errorAt("biased", "biased=true is not supported where eachHead=true");
    }
    boolean normed = kind == Kind.SQUARED && c.has("norm");
    return new FeatureSpec(
        kind,
        kind.isLearned() ? c.positive("size", dim) : kind.isRandom() ? c.positive("size") : dim,
        kind.isLearned() && c.flag("eachHead", false),
        kind.isLearned() && c.flag("biased", false),
        kind == Kind.LRPE || (kind.isLearned() || weighted || normed) && c.flag("tied", false),
        c.flag("queriesSumToOne", false),
        c.flag("keysSumToOne", false),
        scale,
        normed ? NormSpec.read(c.section("norm")) : null,
        kind == Kind.DPFP || kind == Kind.DPFP_SIGNED ? c.positive("turns", 4) : 0,
        kind.isRandom() ? c.count("seed", 0) : 0,
        kind.isRandom() && c.flag("orthogonal", true),
        weighted,
        kind == Kind.COSFORMER ? c.positive("length", context) : 0);
  }

  /** Whether features come with factors that could overflow. */
  public boolean isScaled() {
    return kind == Kind.FAVOR;
  }

  /** Whether what is learned differs from head to head. */
  boolean isOfEachHead() {
    return weighted || kind == Kind.LRPE;
  }

  /** Values that a head's query or key becomes; as a real number, because it may be too large. */
  public double features(int dim) {
    double pairs = (double) dim * (dim + 1) / 2;
    return switch (kind) {
      case IDENTITY, ELU, RELU, SOFTMAX -> dim;
      case T2R, PRODUCT, FAVOR -> size;
      case HEDGEHOG, HEDGEHOG_JOINT, FOURIER -> 2.0 * size;
      case DPFP, DPFP_SIGNED -> 2.0 * dim * turns;
      case SQUARED -> pairs;
      case TAYLOR -> 1 + dim + pairs;
      case COSFORMER, LRPE -> 2.0 * dim;
    };
  }

  /** The map of queries. */
  public FeatureMap ofQueries(int heads, int dim, WeightScope weights) {
    FeatureMap map = build(tied ? "features" : "q.features", heads, heads, dim, weights);
    return queriesSumToOne ? new SumToOne(map) : map;
  }

  /**
   * The map of keys.
   *
   * @param heads how many heads of queries there are, each of which may have a projection of keys
   * @param keyHeads how many heads of keys there are
   */
  public FeatureMap ofKeys(int heads, int keyHeads, int dim, WeightScope weights) {
    FeatureMap map = build(tied ? "features" : "k.features", heads, keyHeads, dim, weights);
    return keysSumToOne ? new SumToOne(map) : map;
  }

  private FeatureMap build(String name, int maps, int heads, int dim, WeightScope weights) {
    if (kind == Kind.COSFORMER) {
      return new TurnedFeatures(dim, longest);
    }
    if (kind == Kind.LRPE) {
      return new LearnedTurns(
          dim, weights.vector(name + ".theta", heads * dim, new Typical(0.5f, 0.5f)));
    }
    if (kind.isRandom()) {
      return random(name, heads, dim, weights);
    }
    return new HeadFeatures(
        dim,
        (int) features(dim),
        Normalization.of(norm, name + ".norm", dim, weights),
        switch (kind) {
          case PRODUCT ->
              List.of(
                  projection(name, maps, dim, weights),
                  projection(name + ".other", maps, dim, weights));
          case T2R, HEDGEHOG, HEDGEHOG_JOINT -> List.of(projection(name, maps, dim, weights));
          default -> List.of();
        },
        switch (kind) {
          case IDENTITY -> HeadMaps.each(Activation.IDENTITY, dim);
          case ELU -> HeadMaps.elu(dim);
          case RELU -> HeadMaps.each(Activation.RELU, dim);
          case T2R -> HeadMaps.each(Activation.RELU, size);
          case SOFTMAX -> HeadMaps.softmax(dim);
          case PRODUCT -> HeadMaps.product(size);
          case HEDGEHOG -> HeadMaps.hedgehog(size, 1, 2);
          case HEDGEHOG_JOINT -> HeadMaps.hedgehog(size, 2, 1);
          case DPFP, DPFP_SIGNED -> HeadMaps.dpfp(dim, turns, kind == Kind.DPFP_SIGNED);
          case SQUARED -> HeadMaps.squared(dim, scale);
          case TAYLOR -> HeadMaps.taylor(dim, scale);
          case COSFORMER, LRPE, FAVOR, FOURIER -> throw new AssertionError(kind);
        });
  }

  private HeadProjection projection(String name, int maps, int dim, WeightScope weights) {
    return new HeadProjection(
        eachHead
            ? List.of(weights.projections(name, maps, size, dim))
            : List.of(weights.projection(name, size, dim, biased)));
  }

  private FeatureMap random(String name, int heads, int dim, WeightScope weights) {
    float[] vectors =
        orthogonal
            ? RandomDirections.orthogonal(size, dim, seed)
            : RandomDirections.independent(size, dim, seed);
    var directions = new HeadProjection(List.of(weights.computed(vectors, size, dim)));
    return kind == Kind.FAVOR
        ? RandomFeatures.positive(dim, directions, scale)
        : RandomFeatures.fourier(
            dim,
            directions,
            weighted ? weights.vector(name + ".weight", heads * dim, Typical.NORM) : null);
  }
}
