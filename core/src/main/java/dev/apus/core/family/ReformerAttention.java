package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The two kinds of attention of a Reformer. */
final class ReformerAttention {

  private ReformerAttention() {}

  /** The mixer of each layer. */
  static List<Part> parts(Config c, boolean decoder) {
    List<String> kinds =
        c.has("attn_layers")
            ? c.words("attn_layers")
            : List.of("local", "lsh", "local", "lsh", "local", "lsh");
    Set<String> known = new TreeSet<>(kinds);
    if (kinds.isEmpty() || !Set.of("local", "lsh").containsAll(known)) {
      throw c.errorAt("attn_layers", "attn_layers=%s; known: local, lsh", kinds);
    }
    int padding = padding(c, known);
    Part hashed = hashed(c, padding, decoder);
    Part local = local(c, padding, decoder);
    List<Part> parts = new ArrayList<>();
    kinds.forEach(kind -> parts.add(kind.equals("lsh") ? hashed : local));
    return parts;
  }

  /** To which lengths the reference fills texts up: it shows in who is whose neighbour. */
  private static int padding(Config c, Set<String> kinds) {
    long multiple = 1;
    for (String kind : kinds) {
      int chunk = chunk(c, kind);
      long other = multiple;
      while (other % chunk != 0) {
        other += multiple;
      }
      multiple = other;
    }
    if (multiple > Integer.MAX_VALUE) {
      throw c.error("the chunks of the two kinds of layers have no common multiple below 2^31");
    }
    return (int) multiple;
  }

  private static int chunk(Config c, String kind) {
    return c.positive(kind + "_attn_chunk_length", 64);
  }

  private static Part shape(Config c, String type) {
    return Part.of(type)
        .with("heads", c.positive("num_attention_heads", 12))
        .with("headDim", c.positive("attention_head_size", 64));
  }

  private static int after(Config c, String kind, boolean causal) {
    String key = kind + "_num_chunks_after";
    int after = c.count(key, 0);
    if (causal && after > 0) {
      throw c.errorAt(key, "%s=%d: tokens of a decoder see none after them", key, after);
    }
    return after;
  }

  private static Part hashed(Config c, int padding, boolean causal) {
    List<Integer> buckets = List.of();
    if (c.has("num_buckets")) {
      boolean several = c.raw("num_buckets") instanceof List<?>;
      buckets = several ? c.integers("num_buckets") : List.of(c.positive("num_buckets"));
    }
    return shape(c, "lsh-attention")
        .with("chunk", chunk(c, "lsh"))
        .with("before", c.count("lsh_num_chunks_before", 1))
        .with("after", after(c, "lsh", causal))
        .with("rounds", c.positive("num_hashes", 1))
        .with("buckets", buckets)
        .with("seed", c.integer("hash_seed", 0))
        .with("multiple", padding);
  }

  private static Part local(Config c, int padding, boolean causal) {
    Map<String, Object> select = new LinkedHashMap<>();
    select.put("kind", "neighbours");
    select.put("size", chunk(c, "local"));
    select.put("before", c.count("local_num_chunks_before", 1));
    int after = after(c, "local", causal);
    if (!causal) {
      // Who looks back alone does not see where the text ends.
      select.put("after", after);
      select.put("multiple", padding);
    }
    Part part = shape(c, "attention");
    return part.with("kvHeads", part.settings().get("heads")).with("select", select);
  }

  static WeightNames names(WeightNames names, String attention, Config c) {
    String self = attention + "self_attention.";
    return names
        .row("attention.q", self + "query.weight")
        .row("attention.k", self + "key.weight")
        .row("attention.v", self + "value.weight")
        .row("attention.o", attention + "output.dense.weight")
        .row("lsh-attention.q", self + "query_key.weight")
        .row("lsh-attention.v", self + "value.weight")
        .row("lsh-attention.o", attention + "output.dense.weight")
        .ignore(".*\\.self_attention\\.(self_)?mask_value_float(16|32)");
  }
}
