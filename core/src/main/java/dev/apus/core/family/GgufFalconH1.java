package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Falcon-H1, whose factors converters have multiplied the matrices with. */
final class GgufFalconH1 implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("falcon-h1");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.decoder(file);
    return table
        .set("model_type", "falcon_h1")
        .required("ssm.inner_size", "mamba_d_ssm")
        .mamba2("mamba_n_heads", "mamba_d_head", "mamba_n_groups", "mamba_d_state", "mamba_d_conv")
        .set("mamba_rms_norm", table.storesInLayers("ssm_norm.weight"))
        .set("mamba_norm_before_gate", false)
        .set("mamba_conv_bias", table.storesInLayers("ssm_conv1d.bias"))
        .set("mamba_proj_bias", table.storesInLayers("ssm_in.bias"))
        .set("projectors_bias", table.storesInLayers("ssm_out.bias"))
        .set("attention_bias", table.storesInLayers("attn_q.bias"))
        .set("mlp_bias", table.storesInLayers("ffn_up.bias"))
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    return FalconH1.shape(c).gguf(GgufNames.decoder());
  }
}
