package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.stream.IntStream;

/**
 * DeepSeek-V3.2 and GLM-5. Files count the blocks that predict further tokens among the layers, and
 * say for each whether it has an index.
 */
final class GgufDeepSeekSparse implements GgufFamily {

  private static final String GLM = "glm-dsa";
  private static final String INDEXERS = "attention.indexer.types";
  private static final String LOGARITHM = "rope.scaling.yarn_log_multiplier";

  @Override
  public List<String> architectures() {
    return List.of("deepseek32", GLM);
  }

  @Override
  public Config config(Gguf file) {
    boolean glm = file.metadata().get("general.architecture").equals(GLM);
    GgufSettings table =
        GgufRouted.experts(GgufSettings.decoder(file).latent())
            .set("model_type", glm ? "glm_moe_dsa" : "deepseek_v32")
            .required("attention.indexer.head_count", "index_n_heads")
            .required("attention.indexer.key_length", "index_head_dim")
            .required("attention.indexer.top_k", "index_topk")
            .harmless("attention.layer_norm_epsilon", "expert_shared_feed_forward_length");
    int further = table.count("nextn_predict_layers", 0);
    int layers = table.count("block_count", 0) - further;
    table.set("num_hidden_layers", layers).set("num_nextn_predict_layers", further);
    if (table.has(INDEXERS)) {
      table.set("indexer_types", indexers(table, layers));
    }
    if (table.raw(LOGARITHM) instanceof Double multiplier) {
      // Converters multiply it by the tenth that belongs to the formula.
      double magnitude = Double.parseDouble(Float.toString((float) (multiplier * 10)));
      table.set("rope_scaling.mscale", magnitude).set("rope_scaling.mscale_all_dim", magnitude);
    }
    return table.config();
  }

  private static List<String> indexers(GgufSettings table, int layers) {
    if (!(table.raw(INDEXERS) instanceof boolean[] own) || own.length < layers) {
      throw table.error("%s must hold a flag for each of %d layers", INDEXERS, layers);
    }
    return IntStream.range(0, layers).mapToObj(i -> own[i] ? "full" : "shared").toList();
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    String block = GgufNames.BLOCK;
    String ours = IndexSettings.OURS;
    WeightNames names = GgufNames.latent(GgufNames.decoder(), LatentSettings.read(d));
    GgufNames.experts(names, d.width, c.positive("moe_intermediate_size"));
    for (int i = 0; i < Experts.further(c); i++) {
      names.ignore("blk\\." + (d.layers + i) + "\\..*");
    }
    return names
        .row(ours + "q", block + "indexer.attn_q_b.weight")
        .row(ours + "k", block + "indexer.attn_k.weight")
        .row(ours + "k.norm", block + "indexer.k_norm.weight")
        .row(ours + "weights", block + "indexer.proj.weight");
  }
}
