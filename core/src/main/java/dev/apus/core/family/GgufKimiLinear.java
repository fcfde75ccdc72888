package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Kimi Linear. Layers that have no key–value heads are those of Kimi Delta Attention. */
final class GgufKimiLinear implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("kimi-linear");
  }

  @Override
  public Config config(Gguf file) {
    return GgufSettings.decoder(file)
        .headsByLayer("linear_attention")
        .latent()
        .set("model_type", "kimi_linear")
        .required("kda.head_dim", "linear_head_dim")
        .required("attention.head_count", "linear_num_heads")
        .required("ssm.conv_kernel", "linear_conv_kernel_dim")
        .required("expert_count", "num_experts")
        .required("expert_used_count", "num_experts_per_token")
        .required("expert_feed_forward_length", "moe_intermediate_size")
        .required("expert_shared_count", "num_shared_experts")
        .row("leading_dense_block_count", "first_k_dense_replace", 0)
        .row("expert_weights_scale", "routed_scaling_factor", 1.0)
        .row("expert_weights_norm", "moe_renormalize", true)
        .row("expert_group_count", "num_expert_group", 1)
        .row("expert_group_used_count", "topk_group", 1)
        .only("expert_gating_func", GgufSettings.SIGMOID)
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = KimiLinear.decoder(c);
    String block = GgufNames.BLOCK;
    String ours = DeltaSettings.OURS;
    WeightNames names = GgufNames.latent(GgufNames.decoder(), LatentSettings.read(d));
    GgufNames.experts(names, d.width, c.positive("moe_intermediate_size"));
    int channels = c.positive("linear_num_heads") * c.positive("linear_head_dim");
    long taps = c.positive("linear_conv_kernel_dim");
    for (String part : new String[] {"q", "k", "v"}) {
      names
          .row(ours + part, block + "attn_" + part + ".weight")
          .shaped(block + "ssm_conv1d_" + part + ".weight", 1, channels, 1, taps);
    }
    return GgufNames.delta(names)
        .row(
            ours + "conv",
            WeightNames.joined(
                new int[] {channels, channels, channels},
                block + "ssm_conv1d_q.weight",
                block + "ssm_conv1d_k.weight",
                block + "ssm_conv1d_v.weight"))
        .row(ours + "a.latent", block + "ssm_f_a.weight")
        .row(ours + "a", block + "ssm_f_b.weight")
        .row(ours + "z.latent", block + "ssm_g_a.weight")
        .row(ours + "z", block + "ssm_g_b.weight")
        .row(ours + "o", block + "attn_output.weight");
  }
}
