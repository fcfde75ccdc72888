package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Jamba, whose files say which layers attend by how many key–value heads they have, and which have
 * experts by their tensors.
 */
final class GgufJamba implements GgufFamily {

  private static final String HEADS = "attention.head_count_kv";

  @Override
  public List<String> architectures() {
    return List.of("jamba");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.layers(file);
    int width = table.count("embedding_length", 0);
    int inner = table.count("ssm.inner_size", 0);
    if (width == 0 || inner == 0 || inner % width != 0) {
      throw table.error(
          "jamba.ssm.inner_size=%d must be a multiple of jamba.embedding_length=%d", inner, width);
    }
    List<Integer> heads = table.byLayer(HEADS);
    int layers = heads.size();
    every(table, "attn_layer", HEADS, layers, i -> heads.get(i) > 0);
    every(
        table,
        "expert_layer",
        "the tensors ffn_gate_inp",
        layers,
        i -> table.stores("blk." + i + ".ffn_gate_inp.weight"));
    return table
        .set("model_type", "jamba")
        .attention()
        .set("num_key_value_heads", table.onlyOne(HEADS, heads))
        .required("attention.layer_norm_rms_epsilon", "rms_norm_eps")
        .required("feed_forward_length", "intermediate_size")
        .set("num_experts", Math.max(1, table.count("expert_count", 0)))
        .set("num_experts_per_tok", Math.max(1, table.count("expert_used_count", 0)))
        .set("mamba_expand", inner / width)
        .mamba("mamba_d_conv", "mamba_d_state", "mamba_dt_rank")
        .config();
  }

  /** Says of a kind of layers that they come once in a period, as the config does. */
  private static void every(
      GgufSettings table, String kind, String where, int layers, IntPredicate is) {
    int[] found = IntStream.range(0, layers).filter(is).toArray();
    int offset = found.length == 0 ? layers : found[0];
    int period = found.length < 2 ? layers + 1 : found[1] - offset;
    if (!IntStream.range(0, layers).allMatch(i -> is.test(i) == (i % period == offset))) {
      throw table.error("jamba: %s name layers that do not come once in a period", where);
    }
    table.set(kind + "_offset", offset).set(kind + "_period", period);
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names =
        GgufNames.experts(
            GgufNames.decoder(), c.positive("hidden_size"), c.positive("intermediate_size"));
    return MambaParts.gguf(names, MambaParts.hybrid(c, c.positive("hidden_size")));
  }
}
