package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Mamba and FalconMamba, whose files do not say the epsilon of its norms. */
final class GgufMamba implements GgufFamily {

  private static final String NORMED = "ssm.dt_b_c_rms";

  @Override
  public List<String> architectures() {
    return List.of("mamba");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.layers(file);
    boolean falcon = Boolean.TRUE.equals(table.raw(NORMED));
    return table
        .set("model_type", falcon ? "falcon_mamba" : "mamba")
        .required("attention.layer_norm_rms_epsilon", "layer_norm_epsilon")
        .required("ssm.inner_size", "intermediate_size")
        .mamba("conv_kernel", "state_size", "time_step_rank")
        .only("attention.head_count", 0L)
        .only("feed_forward_length", 0L)
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    return MambaParts.gguf(GgufNames.decoder(), Mamba.mixer(c, Mamba.shape(c).width));
  }
}
