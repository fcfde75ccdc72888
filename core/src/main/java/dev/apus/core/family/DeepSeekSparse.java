package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * DeepSeek-V3.2 and GLM-5: DeepSeek-V3 whose layers attend to the tokens that an index chooses, of
 * their own or of an earlier layer.
 */
final class DeepSeekSparse implements ModelFamily {

  private static final String SPARSE = "deepseek_sparse_attention";

  @Override
  public List<String> names() {
    return List.of("DeepseekV32ForCausalLM", "deepseek_v32", "GlmMoeDsaForCausalLM", "glm_moe_dsa");
  }

  private static boolean isGlm(Config c) {
    return c.word("model_type", "deepseek_v32").equals("glm_moe_dsa");
  }

  @Override
  public Architecture describe(Config c) {
    DeepSeek.ignoreTraining(c);
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(isGlm(c) ? 1e-5 : 1e-6);
    for (String type : d.layerTypes(i -> SPARSE)) {
      if (!type.equals(SPARSE)) {
        throw c.errorAt("layer_types", "layer_types holds \"%s\"; supported: %s", type, SPARSE);
      }
    }
    LatentSettings latent = LatentSettings.read(d);
    boolean interleaved = c.flag("rope_interleave", true);
    RopeSettings rope = interleaved ? latent.rope().interleaved() : latent.rope();
    IndexSettings index = IndexSettings.read(d, isGlm(c));
    Part following = rope.on(latent.scaled(latent.attention()));
    Part choosing = index.on(following);
    List<Boolean> sparse = Experts.sparse(d, 3);
    Part dense = d.gatedMlp();
    Part experts = DeepSeek.corrected(c);
    return d.architecture(
        isGlm(c) ? "glm-moe-dsa" : "deepseek-v3.2",
        i -> {
          int chooser = index.choosers().get(i);
          Branch mixer =
              chooser == i
                  ? Branch.mixer(choosing, norm)
                  : Branch.mixer(following, norm).wired(Wiring.PLAIN.choiceOf(chooser));
          return Layer.of(mixer, Branch.channel(sparse.get(i) ? experts : dense, norm));
        },
        norm);
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufDeepSeekSparse());
  }

  @Override
  public WeightNames weights(Config c) {
    String ours = IndexSettings.OURS;
    String theirs = Names.LAYER + "self_attn.indexer.";
    return DeepSeek.names(c)
        .row(ours + "q", theirs + "wq_b.weight")
        .row(ours + "k", theirs + "wk.weight")
        .row(ours + "k.norm", theirs + "k_norm.weight")
        .row(ours + "weights", theirs + "weights_proj.weight");
  }
}
