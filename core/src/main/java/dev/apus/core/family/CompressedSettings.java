package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Attention to a window and to compressed entries, under DeepSeek-V4's names.
 *
 * @param kinds the mixer of each kind of layer
 * @param types the kinds of the layers
 */
record CompressedSettings(Map<String, Part> kinds, List<String> types) {

  private static final String OURS = "compressed-attention.";
  private static final String SLIDING = "sliding_attention";
  private static final String SPARSE = "compressed_sparse_attention";
  private static final String HEAVY = "heavily_compressed_attention";

  static CompressedSettings read(Decoder d, NormSpec norm) {
    Config c = d.c;
    if (c.positive("num_key_value_heads", 1) != 1) {
      throw c.errorAt(
          "num_key_value_heads",
          "num_key_value_heads=%d must be 1: all heads share one key, which is the value",
          c.positive("num_key_value_heads"));
    }
    Part plain =
        Part.of("compressed-attention")
            .with("heads", d.heads)
            .with("headDim", d.headDim)
            .with("queryLatent", c.positive("q_lora_rank"))
            .with("window", c.positive("sliding_window"))
            .with("outGroups", c.positive("o_groups"))
            .with("outLatent", c.positive("o_lora_rank"))
            .with("sinks", true)
            .with("norm", norm.toMap());
    Part compressed = rope(d, "compress", "compress_rope_theta", 160_000).on(plain);
    return new CompressedSettings(
        Map.of(
            SLIDING,
            rope(d, "main", "rope_theta", 10_000).on(plain),
            HEAVY,
            compressed.with("entries", Map.of("rate", rate(c, HEAVY, "hca", 128))),
            SPARSE,
            compressed.with("entries", sparse(c))),
        types(d));
  }

  /** Entries of which an index chooses some. */
  private static Map<String, Object> sparse(Config c) {
    Map<String, Object> index = new LinkedHashMap<>();
    index.put("heads", c.positive("index_n_heads"));
    index.put("headDim", c.positive("index_head_dim"));
    index.put("top", c.positive("index_topk"));
    Map<String, Object> entries = new LinkedHashMap<>();
    entries.put("rate", rate(c, SPARSE, "csa", 4));
    entries.put("overlapping", true);
    entries.put("index", index);
    return entries;
  }

  /** The kinds of the layers: their names, or the tokens of an entry, 0 for a window alone. */
  private static List<String> types(Decoder d) {
    Config c = d.c;
    if (c.has("layer_types") || !c.has("compress_ratios")) {
      return d.layerTypes(i -> i < 2 || i % 2 == 0 ? HEAVY : SPARSE);
    }
    List<Integer> rates = c.integers("compress_ratios");
    if (rates.size() < d.layers) {
      throw c.errorAt(
          "compress_ratios",
          "compress_ratios names %d layers, num_hidden_layers=%d",
          rates.size(),
          d.layers);
    }
    return rates.subList(0, d.layers).stream().map(rate -> type(c, rate)).toList();
  }

  private static String type(Config c, int rate) {
    return switch (rate) {
      case 0 -> SLIDING;
      case 4 -> SPARSE;
      case 128 -> HEAVY;
      default ->
          throw c.errorAt(
              "compress_ratios", "compress_ratios holds %d; this family has 0, 4 and 128", rate);
    };
  }

  /** The mixer of a layer. */
  Part part(Config c, int layer) {
    Part part = kinds.get(types.get(layer));
    if (part == null) {
      throw c.errorAt(
          "layer_types",
          "layer_types holds \"%s\"; this family has %s, %s and %s",
          types.get(layer),
          SLIDING,
          SPARSE,
          HEAVY);
    }
    return part;
  }

  private static int rate(Config c, String type, String older, int absent) {
    int rate = c.positive("compress_rate_" + older, absent);
    return c.hasSection("compress_rates") ? c.section("compress_rates").positive(type, rate) : rate;
  }

  /** How the layers of a kind turn: only those with entries are stretched. */
  private static RopeSettings rope(Decoder d, String kind, String theta, double absent) {
    Config c = d.c;
    double base = c.number(theta, absent);
    int dims = c.positive("qk_rope_head_dim", Math.max(1, d.headDim / 8));
    boolean nested = c.hasSection("rope_parameters") && c.section("rope_parameters").has(kind);
    Config scaling = null;
    if (nested) {
      scaling = c.section("rope_parameters").section(kind);
    } else if (kind.equals("compress")) {
      String key = c.hasSection("rope_parameters") ? "rope_parameters" : "rope_scaling";
      scaling = c.hasSection(key) ? c.section(key) : null;
    }
    RopeSettings settings = RopeSettings.of(c, scaling, base, d.headDim, d.context).interleaved();
    boolean share =
        c.has("partial_rotary_factor") || nested && scaling.has("partial_rotary_factor");
    RopeSettings sized = share ? settings : settings.with("dims", dims);
    // The reference leaves turned values at their length, whatever the stretching.
    boolean silent = scaling == null || !scaling.has("attention_factor");
    return silent && "yarn".equals(settings.settings().get("type"))
        ? sized.with("attentionFactor", 1)
        : sized;
  }

  static WeightNames names(WeightNames names) {
    String attention = Names.LAYER + "attn.";
    entries(names, OURS + "entry.", attention + "compressor.");
    entries(names, OURS + "index.entry.", attention + "indexer.compressor.");
    return names
        .row(OURS + "latent", attention + "wq_a.weight")
        .row(OURS + "latent.norm", attention + "q_norm.weight")
        .row(OURS + "q", attention + "wq_b.weight")
        .row(OURS + "kv", attention + "wkv.weight")
        .row(OURS + "kv.norm", attention + "kv_norm.weight")
        .row(OURS + "kv.norm", attention + "norm.weight")
        .row(OURS + "sinks", attention + "attn_sink")
        .row(OURS + "o.group", attention + "wo_a.weight")
        .row(OURS + "o", attention + "wo_b.weight")
        .row(OURS + "index.q", attention + "indexer.wq_b.weight")
        .row(OURS + "index.weights", attention + "indexer.weights_proj.weight");
  }

  private static void entries(WeightNames names, String ours, String theirs) {
    names
        .row(ours + "kv", theirs + "wkv.weight")
        .row(ours + "gate", theirs + "wgate.weight")
        .row(ours + "places", theirs + "ape")
        .row(ours + "norm", theirs + "norm.weight");
  }
}
