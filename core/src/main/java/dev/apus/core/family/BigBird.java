package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * BigBird: BERT whose blocks of tokens see the blocks beside them, the first and the last. Blocks
 * were drawn at random in training; out of it, the reference takes the first block for each of
 * them, whose keys count as often.
 */
final class BigBird implements ModelFamily {

  private static final String PREFIX = "bert.";

  @Override
  public List<String> names() {
    return List.of("BigBirdForMaskedLM", "BigBirdForPreTraining", "BigBirdModel", "big_bird");
  }

  @Override
  public Architecture describe(Config c) {
    PostNormEncoder e = new PostNormEncoder(c, new Decoder(c, 4096), 1e-12, "gelu_new");
    Decoder.only(c, "add_cross_attention", false);
    c.ignore("sep_token_id");
    float scale = c.flag("rescale_embeddings", false) ? (float) Math.sqrt(e.shape.width) : 1;
    Part full =
        e.shape.attention().with("biased", c.flag("use_bias", true)).with("outBiased", true);
    Layer layer = e.layer(isSparse(c) ? full.with("select", blocks(c)) : full);
    return e.architecture("big_bird", names(), e.embedding(scale, 2), i -> layer);
  }

  private static boolean isSparse(Config c) {
    String type = c.word("attention_type", "block_sparse");
    return switch (type) {
      case "block_sparse" -> true;
      case "original_full" -> {
        c.ignore("block_size", "num_random_blocks");
        yield false;
      }
      default ->
          throw c.errorAt(
              "attention_type",
              "attention_type=\"%s\" is not supported; supported: block_sparse, original_full",
              type);
    };
  }

  private static Map<String, Object> blocks(Config c) {
    int block = c.positive("block_size", 64);
    int random = c.count("num_random_blocks", 3);
    // Shorter texts are attended to as a whole.
    int whole = Math.multiplyExact(Math.addExact(5, Math.multiplyExact(2, random)), block);
    Map<String, Object> blocks = new LinkedHashMap<>();
    blocks.put("kind", "blocks");
    blocks.put("block", block);
    blocks.put("near", 1);
    blocks.put("firstCounts", random + 1);
    blocks.put("whole", whole);
    return blocks;
  }

  @Override
  public WeightNames weights(Config c) {
    return PostNormEncoder.attention(
        PostNormEncoder.names(PREFIX, "attention.output."), "attention", PREFIX);
  }
}
