package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.List;

/**
 * nanochat: norms without weights, also after the embedding; queries and keys are normalised after
 * they have been turned; a plain squared-ReLU MLP; bounded logits.
 */
final class NanoChat implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("NanoChatForCausalLM", "nanochat");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms().unweighted();
    Part turned = d.rope(d.biased(d.attention()));
    Part attention = Decoder.normed(turned, norm, "head", true);
    Part mlp =
        Decoder.mlp(
            c.positive("intermediate_size"), Activations.of(c, "hidden_act", "relu2"), false);
    Decoder.only(c, "qkv_bias", false);
    String softcap = Decoder.spelled(c, "final_logit_softcapping", "logits_soft_cap");
    return d.architecture(
        "nanochat",
        new Embedding(1, 0, norm),
        i -> Decoder.preNorm(norm, attention, mlp),
        norm,
        new Head(
            c.flag("tie_word_embeddings", false),
            false,
            1,
            c.isNull(softcap) ? 0 : c.real(softcap, 15)));
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    WeightNames names =
        Names.mlp(
            new WeightNames()
                .row("embedding", "model.embed_tokens.weight")
                .row("head", "lm_head.weight")
                .row("attention.v", Names.LAYER + "self_attn.v_proj.weight")
                .row("attention.o", Names.LAYER + "self_attn.o_proj.weight"),
            Names.LAYER + "mlp.fc1.weight",
            Names.LAYER + "mlp.fc2.weight");
    return names
        .row("attention.q", swapped("q", d.heads, d.headDim))
        .row("attention.k", swapped("k", d.kvHeads, d.headDim));
  }

  /**
   * Heads are turned the other way round, which is the usual way for heads whose halves change
   * places; scores and norms do not depend on the order within a head.
   */
  private static Source swapped(String projection, int heads, int headDim) {
    return WeightNames.from(Names.LAYER + "self_attn." + projection + "_proj.weight")
        .as(
            Conversion.gather(
                heads * headDim, row -> row - row % headDim + (row + headDim / 2) % headDim));
  }
}
