package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Transform;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * ModernBERT: an encoder of pre-norm attention, which in most layers has a window, and gated MLP.
 * The first layer reads the normed embeddings as they are.
 */
final class ModernBert implements ModelFamily {

  private static final String LAYER = "model.layers.{i}.";

  @Override
  public List<String> names() {
    return List.of("ModernBertForMaskedLM", "ModernBertModel", "modernbert");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c, 8192);
    boolean biased = c.flag("norm_bias", false);
    NormSpec norm = Decoder.layerNorm(c, "norm_eps", biased);
    int every = c.positive("global_attn_every_n_layers", 3);
    List<String> types = d.layerTypes(i -> i % every == 0 ? "full_attention" : "sliding_attention");
    Part plain = d.biased(d.attention());
    RopeSettings far =
        c.hasSection("rope_parameters")
            ? RopeSettings.global(d, 160_000)
            : RopeSettings.of(
                c, null, c.number("global_rope_theta", 160_000), d.headDim, d.context);
    Part global = far.on(plain);
    // A token sees half the window on either side.
    int window = c.positive("local_attention", 128) / 2 + 1;
    Part local = RopeSettings.local(d, "local_rope_theta").on(plain).with("window", window);
    Part mlp = d.gatedMlp();
    c.ignore("classifier_pooling", "deterministic_flash_attn", "initializer_cutoff_factor");
    c.ignore("position_embedding_type", "reference_compile", "repad_logits_with_grad");
    c.ignore("layer_norm_eps", "sparse_prediction", "sparse_pred_ignore_index");
    Architecture whole =
        d.architecture(
                "modernbert",
                new Embedding(1, 0, norm),
                i ->
                    Layer.of(
                        Branch.mixer(d.slides(types.get(i)) ? local : global, i == 0 ? null : norm),
                        Branch.channel(mlp, norm)),
                norm,
                head(c, norm))
            .bidirectional();
    return PostNormEncoder.isHeadless(c, names()) ? whole.withoutHead() : whole;
  }

  private static Head head(Config c, NormSpec norm) {
    Transform transform =
        new Transform(
            Activations.of(c, "classifier_activation", "gelu"),
            c.flag("classifier_bias", false),
            norm);
    boolean biased = c.flag("decoder_bias", true);
    return Head.masked(c.flag("tie_word_embeddings", true), biased, transform);
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c, 8192);
    WeightNames names =
        new WeightNames()
            .prefix("model.", "")
            .row("embedding", "model.embeddings.tok_embeddings.weight")
            .row("embedding.bias", "decoder.bias")
            .row("embedding.norm", "model.embeddings.norm.weight")
            .row("mixer.norm", LAYER + "attn_norm.weight")
            .row("channel.norm", LAYER + "mlp_norm.weight")
            .row("attention.o", LAYER + "attn.Wo.weight")
            .row("gated-mlp.down", LAYER + "mlp.Wo.weight")
            .row("norm", "model.final_norm.weight")
            .row("head", "decoder.weight")
            .row("head.transform", "head.dense.weight")
            .row("head.norm", "head.norm.weight");
    int rows = d.heads * d.headDim;
    Names.fusedQkv(names, LAYER + "attn.Wqkv.weight", rows, rows);
    int inner = c.positive("intermediate_size");
    return Names.fusedGate(names, "gated-mlp.", LAYER + "mlp.Wi.weight", inner);
  }
}
