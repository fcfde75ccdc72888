package dev.apus.core.family;

import static dev.apus.core.weight.Conversion.ofEachGroup;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.List;
import java.util.Map;

/**
 * Qwen3-Next and Qwen 3.5. One has been added to all their norms but those of DeltaNet layers.
 * Value heads of Qwen 3.5 lie so that they share queries and keys in turn.
 */
final class GgufQwenHybrid implements GgufFamily {

  private static final Map<String, String> TYPES =
      Map.of("qwen3next", "qwen3_next", "qwen35", "qwen3_5_text", "qwen35moe", "qwen3_5_moe_text");

  private static final String FURTHER = "mtp_num_hidden_layers";

  @Override
  public List<String> architectures() {
    return List.copyOf(TYPES.keySet());
  }

  @Override
  public Config config(Gguf file) {
    String name = (String) file.metadata().get("general.architecture");
    GgufSettings table = GgufSettings.decoder(file).turnedInPart();
    int valueHeads = table.count("ssm.time_step_rank", 1);
    int further = table.count("nextn_predict_layers", 0);
    table
        .set("model_type", TYPES.get(name))
        .set("num_hidden_layers", table.count("block_count", 0) - further)
        .set(FURTHER, further)
        .row("full_attention_interval", "full_attention_interval")
        .required("ssm.conv_kernel", "linear_conv_kernel_dim")
        .required("ssm.state_size", "linear_key_head_dim")
        .required("ssm.group_count", "linear_num_key_heads")
        .required("ssm.time_step_rank", "linear_num_value_heads")
        .set("linear_value_head_dim", table.share("ssm.inner_size", "ssm.time_step_rank"))
        .harmless("rope.dimension_sections");
    if (!name.equals("qwen3next") && valueHeads != table.count("ssm.group_count", valueHeads)) {
      table.set(DeltaSettings.SHARING, "turns");
    }
    return name.equals("qwen35")
        ? table.config()
        : GgufQwen.experts(table, true)
            .row("expert_shared_feed_forward_length", "shared_expert_intermediate_size")
            .config();
  }

  /**
   * An interval says which layers attend, and not how many heads each has. Readers want to know how
   * pairs are shared out to the axes of a picture, which is nothing to a text.
   */
  @Override
  public void describe(Architecture model, GgufMetadata metadata) {
    Map<String, Object> attention = metadata.part("attention").settings();
    if (attention.get("kvHeads") instanceof Integer heads) {
      metadata.say("attention.head_count_kv", (long) heads);
    }
    if (attention.get("rope") instanceof Map<?, ?> rope
        && rope.get("dims") instanceof Integer dims) {
      int time = Math.ceilDiv(dims / 2, 3);
      int height = Math.ceilDiv(dims / 2 - time, 2);
      int[] sections = {time, height, dims / 2 - time - height, 0};
      metadata.say(
          "rope.dimension_sections", model.family().equals("qwen3_next") ? null : sections);
    }
  }

  @Override
  public List<String> unpublished() {
    return List.of(DeltaSettings.SHARING);
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    Part delta = DeltaSettings.read(c, d);
    String block = GgufNames.BLOCK;
    Source queries = WeightNames.from(block + "attn_q.weight");
    WeightNames names = GgufNames.decoder();
    if (c.has("moe_intermediate_size")) {
      GgufNames.experts(names, d.width, c.positive("moe_intermediate_size"));
    }
    for (int i = 0; i < c.count(FURTHER, 0); i++) {
      names.ignore("blk\\." + (d.layers + i) + "\\..*");
    }
    names
        .row("channel.norm", block + "post_attention_norm.weight")
        .row("attention.q", queries.as(ofEachGroup(d.heads, 2 * d.headDim, 0, d.headDim)))
        .row(
            "attention.gate",
            queries.as(ofEachGroup(d.heads, 2 * d.headDim, d.headDim, d.headDim)));
    DeltaSettings.interleaved(names, block + "ssm_in.weight", delta);
    DeltaSettings.fused(GgufNames.delta(names), block + "attn_qkv.weight", delta)
        .row(DeltaSettings.OURS + "z", block + "attn_gate.weight")
        .row(DeltaSettings.OURS + "a", block + "ssm_alpha.weight");
    // Qwen 3.5 has them apart.
    if (c.word("model_type").equals("qwen3_next")) {
      DeltaSettings.interleavedGates(names, block + "ssm_ba.weight", delta);
    }
    return names
        .row(DeltaSettings.OURS + "conv", block + "ssm_conv1d.weight")
        .row(DeltaSettings.OURS + "o", block + "ssm_out.weight");
  }
}
