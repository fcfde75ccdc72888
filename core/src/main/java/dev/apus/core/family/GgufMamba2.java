package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Mamba-2, whose files, wherever they come from, are computed with a mean for each group. */
final class GgufMamba2 implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("mamba2");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.layers(file);
    int inner = table.count("ssm.inner_size", 0);
    int width = table.count("embedding_length", 1);
    return table
        .set("model_type", "mamba2")
        .set("expand", Math.max(1, inner / Math.max(1, width)))
        .set("gated_norm_over", "group")
        .mamba2("num_heads", "head_dim", "n_groups", "state_size", "conv_kernel")
        .set("use_conv_bias", table.storesInLayers("ssm_conv1d.bias"))
        .set("use_bias", table.storesInLayers("ssm_in.bias"))
        .required("attention.layer_norm_rms_epsilon", "layer_norm_epsilon")
        .only("attention.head_count", 0L)
        .only("feed_forward_length", 0L)
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    return Mamba2.shape(c).gguf(GgufNames.decoder());
  }
}
