package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * What models of the library flash-linear-attention have in common: a mixer and a gated block in
 * each layer, both normalised before, and softmax attention in the layers that {@code attn} lists.
 * Families state the mixer.
 */
final class FlaDecoder {

  /** The block's width is rounded up to a multiple of this. */
  private static final int INNER_STEP = 256;

  final Config c;
  final Decoder decoder;
  final int width;
  final NormSpec norm;

  FlaDecoder(Config c) {
    this(c, 2048, 1e-6);
  }

  /**
   * The same where the config may leave out other values.
   *
   * @param context the longest sequence
   * @param epsilon of norms
   */
  FlaDecoder(Config c, int context, double epsilon) {
    this.c = c;
    this.decoder =
        new Decoder(
            c,
            c.positive("hidden_size"),
            c.positive("num_hidden_layers"),
            1,
            c.positive("max_position_embeddings", context));
    this.width = decoder.width;
    this.norm = NormSpec.rms(Decoder.epsilon(c, "norm_eps", epsilon));
    // How the reference computes, and what it trains with.
    c.ignore(
        "attn_mode",
        "fuse_cross_entropy",
        "fuse_linear_cross_entropy",
        "fuse_norm",
        "fuse_swiglu",
        "use_l2warp");
    Decoder.only(c, "elementwise_affine", true);
    if (c.has("attnres_block_size")) {
      throw c.errorAt(
          "attnres_block_size",
          "attnres_block_size=%s is not supported; supported: null, plain residuals",
          c.raw("attnres_block_size"));
    }
  }

  /**
   * How many values a share of the width is, such as all keys of a layer.
   *
   * @param key of a factor on the width
   */
  int expanded(String key, double absent) {
    return expanded(key, absent, width);
  }

  /** How many values a share of {@code of} is. */
  int expanded(String key, double absent, int of) {
    double size = of * c.number(key, absent);
    if (!(size >= 1 && size <= Integer.MAX_VALUE)) {
      throw c.errorAt(key, "%s=%s of %d is no size", key, c.number(key, absent), of);
    }
    return (int) size;
  }

  /** One of the {@code parts} of a whole, which must leave nothing over. */
  int each(String what, int whole, int parts) {
    if (whole % parts != 0) {
      throw c.error("%d %s are not divisible by %d heads", whole, what, parts);
    }
    return whole / parts;
  }

  /**
   * Taps of the short convolutions after the projections; 0 if there are none.
   *
   * @param absent whether there are where the config does not say
   */
  int taps(boolean absent) {
    int taps = c.positive("conv_size", 4);
    boolean convolved = c.flag("use_short_conv", absent);
    if (c.flag("share_conv_kernel", false) && convolved) {
      throw c.errorAt(
          "share_conv_kernel",
          "share_conv_kernel=true is not supported; supported: false, a convolution after each"
              + " projection");
    }
    return convolved ? taps : 0;
  }

  /** The block that most of these models have. */
  Part gatedMlp() {
    return gatedMlp(c.number("hidden_ratio", 4));
  }

  /**
   * A gated block.
   *
   * @param ratio its weights by those of a matrix of the model's width, if the config has no {@code
   *     intermediate_size}
   */
  Part gatedMlp(double ratio) {
    int inner =
        c.has("intermediate_size")
            ? c.positive("intermediate_size")
            : Math.ceilDiv((int) (width * ratio * 2 / 3), INNER_STEP) * INNER_STEP;
    return decoder.gatedMlp(inner);
  }

  /** The document of a model whose layers have this mixer, where they are not attention. */
  Architecture architecture(String family, Part mixer) {
    return architecture(family, mixer, gatedMlp());
  }

  Architecture architecture(String family, Part mixer, Part channel) {
    return architecture(family, i -> mixer, channel);
  }

  /** The same of a model whose mixers differ from layer to layer. */
  Architecture architecture(String family, IntFunction<Part> mixer) {
    return architecture(family, mixer, gatedMlp());
  }

  Architecture architecture(String family, IntFunction<Part> mixer, Part channel) {
    Map<Integer, Part> attention = attention();
    return decoder.architecture(
        family,
        i -> {
          Part other = attention.get(i);
          return Decoder.preNorm(norm, other == null ? mixer.apply(i) : other, channel);
        },
        norm);
  }

  /** A mixer with the bounds that {@link FlaNames#bounds} names; those of the first layer are 0. */
  Part bounded(Part mixer, int layer) {
    Map<String, Object> bounds = new LinkedHashMap<>();
    bounds.put("layers", decoder.layers);
    bounds.put("layer", layer);
    return layer == 0 ? mixer : mixer.with("bounds", bounds);
  }

  /** The attention of the layers that have one. */
  Map<Integer, Part> attention() {
    Map<Integer, Part> layers = new TreeMap<>();
    if (!c.has("attn")) {
      return layers;
    }
    for (Config spec :
        c.raw("attn") instanceof List ? c.sections("attn") : List.of(c.section("attn"))) {
      Part part = attention(spec);
      for (int layer : spec.integers("layers")) {
        if (layer < 0 || layer >= decoder.layers || layers.put(layer, part) != null) {
          throw spec.errorAt(
              "layers",
              "layers has %d; needed: layers from 0 to %d, each once",
              layer,
              decoder.layers - 1);
        }
      }
    }
    return layers;
  }

  private Part attention(Config spec) {
    return turned(spec, heads(spec).with("biased", spec.flag("qkv_bias", false)));
  }

  /** Attention with the heads of {@code spec}. */
  Part heads(Config spec) {
    int heads = spec.positive("num_heads");
    return Part.of("attention")
        .with("heads", heads)
        .with("kvHeads", Decoder.kvHeads(spec, "num_heads", "num_kv_heads"))
        .with("headDim", each("values of a row", width, heads));
  }

  /** Attention with the positions and the window of {@code spec}. */
  Part turned(Config spec, Part attention) {
    Part part =
        spec.has("window_size")
            ? attention.with("window", spec.positive("window_size"))
            : attention;
    int headDim = (int) attention.settings().get("headDim");
    return RopeSettings.of(spec, null, spec.number("rope_theta", 10_000), headDim, 1).on(part);
  }
}
