package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * What decoder-only transformers have in common, read from the settings that most of them share.
 * Families state what is different.
 */
final class Decoder {

  final Config c;
  final int width;
  final int layers;
  final int heads;
  final int kvHeads;
  final int headDim;
  final int context;

  /** Reads the shape under Hugging Face's usual names. */
  Decoder(Config c) {
    this(c, 2048);
  }

  /** The same for a family with a context of its own where the config has none. */
  Decoder(Config c, int context) {
    this(
        c,
        c.positive("hidden_size"),
        c.positive("num_hidden_layers"),
        c.positive("num_attention_heads"),
        c.positive("num_key_value_heads", c.positive("num_attention_heads")),
        c.positive("max_position_embeddings", context));
  }

  /** A decoder of as many heads for keys as for queries. */
  Decoder(Config c, int width, int layers, int heads, int context) {
    this(c, width, layers, heads, heads, context);
  }

  /** A shape whose settings have names of their own. */
  Decoder(Config c, int width, int layers, int heads, int kvHeads, int context) {
    this.c = c;
    this.width = width;
    this.layers = layers;
    this.heads = heads;
    this.kvHeads = kvHeads;
    this.context = context;
    this.headDim = headDim(c, width, heads);
    if (layers > Architecture.MOST_LAYERS) {
      throw c.errorAt(
          "num_hidden_layers",
          "num_hidden_layers=%d is above %d",
          layers,
          Architecture.MOST_LAYERS);
    }
    if ((long) heads * headDim > Integer.MAX_VALUE) {
      throw c.errorAt(
          "num_attention_heads", "%d heads of %d values are too many to compute", heads, headDim);
    }
    if (heads % kvHeads != 0) {
      throw c.errorAt(
          "num_key_value_heads",
          "num_attention_heads=%d is not divisible by num_key_value_heads=%d",
          heads,
          kvHeads);
    }
  }

  private static int headDim(Config c, int width, int heads) {
    for (String key : new String[] {"head_dim", "kv_channels"}) {
      if (c.has(key)) {
        return c.positive(key);
      }
    }
    if (width % heads != 0) {
      throw c.error("hidden_size=%d is not divisible by num_attention_heads=%d", width, heads);
    }
    return width / heads;
  }

  /**
   * The key of a setting that has had two names.
   *
   * @throws dev.apus.core.config.ConfigException if both are there and disagree
   */
  static String spelled(Config c, String name, String older) {
    if (!c.has(name) || !c.has(older)) {
      return c.has(older) ? older : name;
    }
    if (!c.raw(name).equals(c.raw(older))) {
      throw c.errorAt(older, "%s=%s and %s=%s disagree", name, c.raw(name), older, c.raw(older));
    }
    return name;
  }

  /** Key–value heads, which must divide the query heads; as many if the config does not say. */
  static int kvHeads(Config c, String heads, String kvHeads) {
    int all = c.positive(heads);
    return c.has(kvHeads) ? all / c.share(heads, kvHeads) : all;
  }

  /** Refuses any value of a flag but the one that the family can have. */
  static void only(Config c, String key, boolean supported) {
    if (c.flag(key, supported) != supported) {
      throw c.errorAt(key, "%s=%s is not supported; supported: %s", key, !supported, supported);
    }
  }

  NormSpec rms() {
    return rms(1e-6);
  }

  /** The norm of a family with an epsilon of its own where the config has none. */
  NormSpec rms(double absent) {
    return NormSpec.rms(epsilon(c, "rms_norm_eps", absent));
  }

  /** A layer norm, whose epsilon has many names. */
  static NormSpec layerNorm(Config c, String key, boolean biased) {
    return NormSpec.layer(epsilon(c, key, 1e-5), biased);
  }

  static double epsilon(Config c, String key, double absent) {
    double epsilon = c.number(key, absent);
    if (!(epsilon >= 0 && epsilon < 1)) {
      throw c.errorAt(key, "%s=%s must be at least 0 and below 1", key, epsilon);
    }
    return epsilon;
  }

  /** Attention over everything before, without positions. */
  Part attention() {
    return Part.of("attention")
        .with("heads", heads)
        .with("kvHeads", kvHeads)
        .with("headDim", headDim);
  }

  /** {@code attention_bias}, which is a bias on all four projections. */
  Part biased(Part attention) {
    boolean biased = c.flag("attention_bias", false);
    return attention.with("biased", biased).with("outBiased", biased);
  }

  /**
   * Attention whose queries and keys are normalised.
   *
   * @param over what has a mean of its own: {@code head}, {@code each-head} or {@code row}
   * @param afterRope whether they are normalised after they have been turned
   */
  static Part normed(Part attention, NormSpec norm, String over, boolean afterRope) {
    Map<String, Object> settings = norm.toMap();
    settings.put("over", over);
    if (afterRope) {
      settings.put("afterRope", true);
    }
    return attention.with("norm", settings);
  }

  /** {@code clip_qkv}, if the config has it: the largest magnitude in queries, keys and values. */
  static Part clipped(Part attention, Config c) {
    return c.has("clip_qkv") ? attention.with("clip", c.real("clip_qkv")) : attention;
  }

  Part gatedMlp() {
    return gatedMlp(c.positive("intermediate_size"));
  }

  Part gatedMlp(int inner) {
    return Part.of("gated-mlp")
        .with("inner", inner)
        .with("activation", Activations.of(c))
        .with("biased", c.flag("mlp_bias", false));
  }

  /** A block without a gate. */
  static Part mlp(int inner, String activation, boolean biased) {
    return Part.of("mlp")
        .with("inner", inner)
        .with("activation", activation)
        .with("biased", biased);
  }

  /** The rotary settings that hold for all layers. */
  Part rope(Part attention) {
    return RopeSettings.read(c, headDim, context).on(attention);
  }

  /** The kind of each layer, if the config says; otherwise {@code absent} for each. */
  List<String> layerTypes(IntFunction<String> absent) {
    return layerTypes("layer_types", absent);
  }

  /** The same under another key. */
  List<String> layerTypes(String key, IntFunction<String> absent) {
    if (!c.has(key)) {
      List<String> types = new ArrayList<>();
      for (int i = 0; i < layers; i++) {
        types.add(absent.apply(i));
      }
      return types;
    }
    List<String> types = c.words(key);
    if (types.size() != layers) {
      throw c.errorAt(key, "%s names %d layers, num_hidden_layers=%d", key, types.size(), layers);
    }
    return types;
  }

  /** The window of a layer of this kind, added to its attention. */
  Part windowed(Part attention, String layerType, int window) {
    return slides(layerType) && window > 0 ? attention.with("window", window) : attention;
  }

  /** Whether a layer of this kind has a window; anything but full and sliding is refused. */
  boolean slides(String layerType) {
    return switch (layerType) {
      case "sliding_attention" -> true;
      case "full_attention" -> false;
      default ->
          throw c.errorAt(
              "layer_types",
              "layer_types holds \"%s\"; this family has full_attention and sliding_attention",
              layerType);
    };
  }

  /** Norm, mix, add; norm, mix, add. */
  static Layer preNorm(NormSpec norm, Part mixer, Part channel) {
    return Layer.of(Branch.mixer(mixer, norm), Branch.channel(channel, norm));
  }

  /** Mix, norm, add; mix, norm, add. */
  static Layer postNorm(NormSpec norm, Part mixer, Part channel) {
    return Layer.of(
        Branch.mixer(mixer, null).after(norm), Branch.channel(channel, null).after(norm));
  }

  /** Norm, mix, norm, add; norm, mix, norm, add. */
  static Layer sandwich(NormSpec norm, Part mixer, Part channel) {
    return Layer.of(
        Branch.mixer(mixer, norm).after(norm), Branch.channel(channel, norm).after(norm));
  }

  /** Norm both ways, mix, add both. */
  static Layer parallel(NormSpec norm, Part mixer, Part channel) {
    return Layer.parallel(Branch.mixer(mixer, norm), Branch.channel(channel, norm));
  }

  /** The document, with a plain embedding and a head that is tied if the config says so. */
  Architecture architecture(String family, IntFunction<Layer> layer, NormSpec norm) {
    return architecture(
        family, Embedding.PLAIN, layer, norm, Head.of(c.flag("tie_word_embeddings", false)));
  }

  Architecture architecture(
      String family, Embedding embedding, IntFunction<Layer> layer, NormSpec norm, Head head) {
    List<Layer> all = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      all.add(layer.apply(i));
    }
    return new Architecture(
        family, c.positive("vocab_size"), width, context, embedding, all, norm, head);
  }
}
