package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.List;
import java.util.Map;

/** The shape of Mamba-2 layers, whatever a config calls it, and what is read from it. */
record Mamba2Settings(int heads, int headDim, int groups, int stateSize, int taps) {

  private static final String OURS = "mamba2.";

  /** Says over what the gated norm takes its mean, where the config's author knows better. */
  private static final String NORM_OVER = "gated_norm_over";

  /** Counts as read what is for training and for other implementations. */
  static void ignoreTraining(Config c) {
    c.ignore(
        "chunk_size",
        "mamba_chunk_size",
        "mamba_ssm_cache_dtype",
        "num_logits_to_keep",
        "rescale_prenorm_residual",
        "residual_in_fp32",
        "time_step_floor",
        "time_step_init_scheme",
        "time_step_max",
        "time_step_min",
        "time_step_rank",
        "time_step_scale",
        "use_mamba_kernels",
        "z_loss_coefficient");
  }

  /** The shape under the keys of Bamba, whose layers are so many times as wide as the model. */
  static Mamba2Settings prefixed(Config c, int width) {
    return prefixed(c, (long) width * c.positive("mamba_expand", 2), "mamba_expand");
  }

  /**
   * The shape under the keys of Bamba, which others kept.
   *
   * @param inner values of all heads
   * @param key what says so
   */
  static Mamba2Settings prefixed(Config c, long inner, String key) {
    c.ignore("mamba_expand");
    int heads = c.positive("mamba_n_heads", 128);
    return new Mamba2Settings(
            heads,
            headDim(c, inner, heads),
            c.positive("mamba_n_groups", 1),
            c.positive("mamba_d_state", 256),
            c.positive("mamba_d_conv", 4))
        .filling(c, inner, key);
  }

  /** The layers of Bamba and Granite, whose reference normalises rows. */
  static Part layer(Config c, Decoder d, NormSpec norm) {
    boolean biased = c.flag("mamba_proj_bias", false);
    boolean convBiased = c.flag("mamba_conv_bias", true);
    Part part = prefixed(c, d.width).part(Activations.of(c), biased, biased, convBiased);
    return normed(limited(part, c), norm, normOver(c, "row"), true);
  }

  /** Whether a layer of this kind is a Mamba-2 layer; otherwise it is full attention. */
  static boolean isMamba(Decoder d, String layerType) {
    return switch (layerType) {
      case "linear_attention", "mamba" -> true;
      case "full_attention", "attention" -> false;
      default ->
          throw d.c.errorAt(
              "layer_types",
              "layer_types holds \"%s\"; this family has linear_attention and full_attention, or"
                  + " mamba and attention",
              layerType);
    };
  }

  private static int headDim(Config c, long inner, int heads) {
    int fitting = Math.clamp(inner / heads, 1, Integer.MAX_VALUE);
    return "auto".equals(c.raw("mamba_d_head")) ? fitting : c.positive("mamba_d_head", fitting);
  }

  /** This shape, whose heads must fill the {@code inner} values that {@code key} says there are. */
  Mamba2Settings filling(Config c, long inner, String key) {
    if ((long) heads * headDim != inner) {
      throw c.errorAt(
          key,
          "%d heads of %d values are not the %d values that %s says",
          heads,
          headDim,
          inner,
          key);
    }
    return this;
  }

  /**
   * A part of this shape, without a norm.
   *
   * @param biased whether the projection of the input has biases
   */
  Part part(String activation, boolean biased, boolean outBiased, boolean convBiased) {
    return Part.of("mamba2")
        .with("heads", heads)
        .with("headDim", headDim)
        .with("groups", groups)
        .with("stateSize", stateSize)
        .with("taps", taps)
        .with("activation", activation)
        .with("biased", biased)
        .with("outBiased", outBiased)
        .with("convBiased", convBiased);
  }

  /** The part with the limits of its steps, where there are any. */
  static Part limited(Part part, Config c) {
    return limited(part, c, "time_step_limit", 0);
  }

  /**
   * The part with the limits of its steps.
   *
   * @param key of the two limits
   * @param least what the lower limit is at least
   */
  static Part limited(Part part, Config c, String key, double least) {
    double low = least;
    double high = Double.POSITIVE_INFINITY;
    if (c.has(key)) {
      List<Double> limits = c.numbers(key);
      if (limits.size() != 2) {
        throw c.errorAt(key, "%s=%s must be two numbers", key, limits);
      }
      low = Math.max(least, limits.get(0));
      high = limits.get(1);
    }
    Part limited = low > 0 ? part.with("leastStep", low) : part;
    return high < Double.POSITIVE_INFINITY ? limited.with("mostStep", high) : limited;
  }

  /**
   * The part with a norm.
   *
   * @param over what has a mean of its own: {@code row} or {@code group}; one group is a row
   * @param afterGate whether the gate comes first
   */
  static Part normed(Part part, NormSpec norm, String over, boolean afterGate) {
    Map<String, Object> settings = norm.toMap();
    settings.put("over", part.settings().get("groups").equals(1) ? "row" : over);
    if (!afterGate) {
      settings.put("afterGate", false);
    }
    return part.with("norm", settings);
  }

  /**
   * Over what the gated norm takes its mean: {@code row} or {@code group}. Where a config does not
   * say, it is as the reference has it that writes such configs.
   */
  static String normOver(Config c, String absent) {
    return c.choice(NORM_OVER, absent, "row", "group");
  }

  private int inner() {
    return heads * headDim;
  }

  private int channels() {
    return inner() + 2 * groups * stateSize;
  }

  /** The rows of a layer whose tensors' names begin so; its input has one projection. */
  WeightNames names(WeightNames names, String theirs) {
    return projections(names, theirs + "in_proj.weight")
        .row(OURS + "conv", theirs + "conv1d.weight")
        .row(OURS + "decay", WeightNames.from(theirs + "A_log").as(Conversion.MINUS_EXP))
        .row(OURS + "dtBias", theirs + "dt_bias")
        .row(OURS + "d", theirs + "D")
        .row(OURS + "norm", theirs + "norm.weight")
        .row(OURS + "o", theirs + "out_proj.weight");
  }

  /** The rows of a layer in a GGUF file. */
  WeightNames gguf(WeightNames names) {
    String block = GgufNames.BLOCK;
    return projections(names, block + "ssm_in.weight")
        .row(OURS + "conv", block + "ssm_conv1d.weight")
        .row(OURS + "decay", block + "ssm_a")
        .row(OURS + "dtBias", block + "ssm_dt.bias")
        .row(OURS + "d", block + "ssm_d")
        .row(OURS + "norm", block + "ssm_norm.weight")
        .row(OURS + "o", block + "ssm_out.weight")
        .shaped(block + "ssm_a", heads, 1)
        .shaped(block + "ssm_d", heads, 1)
        .shaped(block + "ssm_norm.weight", groups, inner() / groups);
  }

  private WeightNames projections(WeightNames names, String input) {
    Source in = WeightNames.from(input);
    return names
        .row(OURS + "z", in.as(Conversion.rows(0, inner())))
        .row(OURS + "xbc", in.as(Conversion.rows(inner(), channels())))
        .row(OURS + "dt", in.as(Conversion.rows(inner() + channels(), heads)));
  }

  /** Rows of the input's projection: the gate, what is convolved, and a step for each head. */
  int projected() {
    return inner() + channels() + heads;
  }
}
