package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.List;
import java.util.Set;

/**
 * Zamba 2: layers of Mamba-2, and a few transformer blocks that hybrid layers share in turn. Each
 * use of a block has adapters of its own.
 */
final class Zamba2 implements ModelFamily {

  /** What the reference's gated norm uses, whatever the config's epsilon. */
  private static final double GATED_NORM_EPSILON = 1e-5;

  /** The hybrid layers of a model whose config names none. */
  private static final Set<Integer> HYBRID = Set.of(6, 12, 18, 24, 30, 36, 42, 47, 51);

  @Override
  public List<String> names() {
    return List.of("Zamba2ForCausalLM", "zamba2");
  }

  @Override
  public Architecture describe(Config c) {
    Mamba2Settings.ignoreTraining(c);
    c.ignore("kv_channels", "num_query_groups", "use_mem_eff_path");
    Decoder.only(c, "use_conv_bias", true);
    Decoder.only(c, "use_long_context", false);
    ZambaLayers layers = layers(c);
    Decoder d = layers.d();
    NormSpec norm = d.rms(1e-5);
    boolean biased = c.flag("add_bias_linear", false);
    int rank = c.positive("adapter_rank", 128);
    Part plain = layers.attention();
    Part attention =
        c.flag("use_shared_attention_adapter", false) ? plain.with("adapter", rank) : plain;
    boolean turned = c.flag("use_mem_rope", false);
    if (!turned) {
      c.ignore("rope_theta", "rope_scaling", "rope_parameters");
    }
    return layers.architecture(
        "zamba2",
        turned ? RopeSettings.read(c, layers.headDim(), d.context).on(attention) : attention,
        Part.of("gated-mlp")
            .with("inner", inner(c))
            .with("activation", Activations.of(c, "hidden_act", "gelu"))
            .with("biased", biased)
            .with("adapter", rank),
        mixer(c, biased),
        norm);
  }

  private static Part mixer(Config c, boolean biased) {
    Part mixer =
        shape(c)
            .part("silu", biased, biased, true)
            .with("leastStep", c.real("time_step_min", 0.001f));
    return Mamba2Settings.normed(mixer, NormSpec.rms(GATED_NORM_EPSILON), "group", true);
  }

  private static Mamba2Settings shape(Config c) {
    long inner = (long) c.positive("hidden_size") * c.positive("mamba_expand", 2);
    int heads = c.positive("n_mamba_heads", 8);
    int headDim = Math.clamp(inner / heads, 1, Integer.MAX_VALUE);
    return new Mamba2Settings(
            heads,
            c.positive("mamba_headdim", headDim),
            c.positive("mamba_ngroups", 1),
            c.positive("mamba_d_state", 64),
            c.positive("mamba_d_conv", 4))
        .filling(c, inner, "mamba_expand");
  }

  private static int inner(Config c) {
    return c.positive("intermediate_size", 4 * c.positive("hidden_size"));
  }

  private static ZambaLayers layers(Config c) {
    int count = c.positive("num_hidden_layers");
    ZambaLayers layers =
        ZambaLayers.read(
            c, ZambaLayers.types(count, HYBRID::contains), c.positive("num_mem_blocks", 1));
    if (c.has("hybrid_layer_ids") && !c.integers("hybrid_layer_ids").equals(layers.hybrid())) {
      throw c.errorAt(
          "hybrid_layer_ids",
          "hybrid_layer_ids=%s, but the hybrid layers of layers_block_type are %s",
          c.integers("hybrid_layer_ids"),
          layers.hybrid());
    }
    return layers;
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = layers(c).names("shared_transformer");
    String mlp = Names.LAYER + "shared_transformer.feed_forward.";
    String owner = "model.layers.{owner}.shared_transformer.";
    String adapter = owner + "feed_forward.gate_up_proj_adapter_list.{use}.";
    Source up = WeightNames.from(adapter + "1.weight");
    int inner = inner(c);
    Names.fusedGate(names, "shared.gated-mlp.", mlp + "gate_up_proj.weight", inner)
        .row("shared.gated-mlp.adapter.down", adapter + "0.weight")
        .row("shared.gated-mlp.gate.adapter.up", up.as(Conversion.rows(0, inner)))
        .row("shared.gated-mlp.up.adapter.up", up.as(Conversion.rows(inner, inner)));
    for (String p : List.of("q", "k", "v")) {
      String list = owner + "self_attn.linear_" + p + "_adapter_list.{use}.";
      names
          .row("shared.attention." + p + ".adapter.down", list + "0.weight")
          .row("shared.attention." + p + ".adapter.up", list + "1.weight");
    }
    return shape(c).names(names, Names.LAYER + "{decoder}mamba.");
  }
}
