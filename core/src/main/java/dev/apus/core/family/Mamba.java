package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Mamba, and FalconMamba, which normalises what its state-space parameters are made of. */
final class Mamba implements ModelFamily {

  /** No layer looks at positions: the length of sequences that nobody limits. */
  static final int CONTEXT = 1 << 20;

  private static final String LAYER = "backbone.layers.{i}.";

  @Override
  public List<String> names() {
    return List.of("MambaForCausalLM", "mamba", "FalconMambaForCausalLM", "falcon_mamba");
  }

  private static boolean falcon(Config c) {
    return c.word("model_type", "").equals("falcon_mamba")
        || c.has("architectures") && c.words("architectures").contains("FalconMambaForCausalLM");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = shape(c);
    NormSpec norm = NormSpec.rms(Decoder.epsilon(c, "layer_norm_epsilon", 1e-5));
    c.choice("hidden_act", "silu", "silu", "swish");
    c.ignore("rescale_prenorm_residual", "residual_in_fp32", "time_step_floor", "time_step_max");
    c.ignore("time_step_init_scheme", "time_step_min", "time_step_scale");
    c.ignore("use_associative_scan", "use_falcon_mambapy", "use_mambapy");
    leftOver(c);
    Layer layer = Layer.of(Branch.mixer(mixer(c, d.width), norm));
    return d.architecture(
        falcon(c) ? "falcon-mamba" : "mamba",
        Embedding.PLAIN,
        i -> layer,
        norm,
        Head.of(c.flag("tie_word_embeddings", true)));
  }

  static Decoder shape(Config c) {
    return new Decoder(
        c,
        c.positive(Decoder.spelled(c, "hidden_size", "d_model")),
        c.positive(Decoder.spelled(c, "num_hidden_layers", "n_layer")),
        1,
        c.positive("max_position_embeddings", CONTEXT));
  }

  /** Settings of {@link OriginalMamba} that converted checkpoints have kept. */
  private static void leftOver(Config c) {
    c.ignore("fused_add_norm", "pad_vocab_size_multiple");
    Decoder.only(c, "rms_norm", true);
    if (c.hasSection("ssm_cfg")) {
      c.section("ssm_cfg");
    }
  }

  /** The width inside is said twice, and where the two differ, this is the one that is true. */
  static Part mixer(Config c, int width) {
    String inner = Decoder.spelled(c, "intermediate_size", "d_inner");
    Part mamba =
        Part.of("mamba")
            .with("inner", c.has(inner) ? c.positive(inner) : MambaParts.inner(c, "expand", width))
            .with("stateSize", c.positive("state_size", 16))
            .with("dtRank", MambaParts.dtRank(c, "time_step_rank", width))
            .with("taps", c.positive("conv_kernel", 4))
            .with("biased", c.flag("use_bias", false))
            .with("convBiased", c.flag("use_conv_bias", true));
    c.ignore("expand");
    if (!falcon(c)) {
      return mamba;
    }
    double epsilon = Decoder.epsilon(c, "mixer_rms_eps", 1e-6);
    return mamba.with("norm", NormSpec.rms(epsilon).unweighted().toMap());
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = MambaParts.backbone("embeddings", LAYER);
    return MambaParts.names(names, LAYER + "mixer.", mixer(c, shape(c).width));
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufMamba());
  }
}
