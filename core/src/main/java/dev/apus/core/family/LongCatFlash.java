package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.model.Wiring.Reads;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * LongCat-Flash: latent attention and a dense block in each layer, and across every two of them
 * experts, which read what the first dense block reads and are added after the second. A third of
 * the experts give what they are given.
 *
 * <p>Configs count pairs of layers; here, each of a pair is a layer.
 */
final class LongCatFlash implements ModelFamily {

  /** From the experts of a pair to its end. */
  private static final String SHORTCUT = "shortcut";

  @Override
  public List<String> names() {
    return List.of("LongcatFlashForCausalLM", "longcat_flash");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder.only(c, "mla_scale_q_lora", true);
    Decoder.only(c, "mla_scale_kv_lora", true);
    Decoder.only(c, "router_bias", false);
    Decoder.only(c, "norm_topk_prob", false);
    c.choice("zero_expert_type", "identity", "identity");
    c.choice("attention_method", "MLA", "MLA");
    c.ignore("head_dim");
    Decoder d = decoder(c);
    NormSpec norm = d.rms(1e-5);
    LatentSettings latent = LatentSettings.read(d);
    double m = RopeSettings.scoreMagnitude(c);
    double scale =
        m * m * ratio(d, latent.queryLatent()) / Math.sqrt(latent.ownDim() + latent.sharedDim());
    Part attention =
        RopeSettings.read(c, 1e7, 1, latent.sharedDim(), d.context)
            .interleaved()
            .on(latent.attention())
            .with("scale", scale);
    Branch mixer = Branch.mixer(attention, norm);
    Branch dense = Branch.channel(d.gatedMlp(c.positive("ffn_hidden_size")), norm);
    Branch experts = Branch.channel(experts(c), norm).wired(Wiring.PLAIN.writing(SHORTCUT));
    Branch shortcut =
        Branch.channel(Part.of("identity"), null).wired(Wiring.PLAIN.reading(Reads.of(SHORTCUT)));
    Layer first = new Layer(List.of(new Step(List.of(mixer)), new Step(List.of(experts, dense))));
    Layer second = new Layer(List.of(new Step(List.of(mixer)), new Step(List.of(dense, shortcut))));
    return d.architecture("longcat_flash", i -> i % 2 == 0 ? first : second, norm)
        .withStream(SHORTCUT, d.width);
  }

  private static Decoder decoder(Config c) {
    int layers = Math.multiplyExact(2, c.positive("num_layers"));
    int heads = c.positive("num_attention_heads");
    int counted = c.positive("num_hidden_layers", layers);
    if (counted != layers && 2 * counted != layers) {
      throw c.errorAt(
          "num_hidden_layers", "num_hidden_layers must be num_layers or twice that, %d", layers);
    }
    return new Decoder(
        c,
        c.positive("hidden_size"),
        layers,
        heads,
        c.positive("num_key_value_heads", heads),
        c.positive("max_position_embeddings", 131_072));
  }

  /** What a latent is scaled with, as if it were as wide as the model. */
  private static double ratio(Decoder d, int latent) {
    return Math.sqrt((double) d.width / latent);
  }

  private static Part experts(Config c) {
    return Part.of("moe")
        .with("experts", c.positive("n_routed_experts"))
        .with("copyExperts", c.count("zero_expert_num", 0))
        .with("top", c.positive("moe_topk"))
        .with("biased", true)
        .with("normalized", false)
        .with("scale", c.real("routed_scaling_factor"))
        .with("inner", c.positive("expert_ffn_hidden_size"))
        .with("activation", Activations.of(c));
  }

  /** Of a pair, the first layer has the number 0. */
  @Override
  public WeightNames weights(Config c) {
    Decoder d = decoder(c);
    LatentSettings latent = LatentSettings.read(d);
    String layer = "model.layers.{pair}.";
    String mlp = layer + "mlp.";
    int inner = c.positive("expert_ffn_hidden_size");
    WeightNames names =
        Names.outer()
            .place("pair", i -> Integer.toString(i / 2))
            .place("half", i -> Integer.toString(i % 2))
            .row("mixer.norm", layer + "input_layernorm.{half}.weight")
            .row("channel.norm", layer + "post_attention_layernorm.{half}.weight")
            .row("moe.router", mlp + "router.classifier.weight")
            .row("moe.router.correction", mlp + "router.e_score_correction_bias")
            .ignore("model\\.mtp\\..*");
    String norm = layer + "self_attn.{half}.kv_a_layernorm.weight";
    latent
        .names(names, layer + "self_attn.{half}.")
        .row(
            LatentSettings.OURS + "latent.norm",
            WeightNames.from(norm).as(Conversion.scaled((float) ratio(d, latent.latent()))));
    Experts.fused(names, mlp + "experts.gate_up_proj", mlp + "experts.down_proj", d.width, inner);
    Names.gatedMlp(names, "moe.expert.", mlp + "experts.{e}.");
    // The reference also writes gates of the experts that have none.
    for (int e = 0; e < c.count("zero_expert_num", 0); e++) {
      int expert = c.positive("n_routed_experts") + e;
      names.ignore(".*\\.mlp\\.experts\\." + expert + "\\.(gate|up)_proj\\.weight");
    }
    return Names.gatedMlp(names, "gated-mlp.", layer + "mlps.{half}.");
  }
}
