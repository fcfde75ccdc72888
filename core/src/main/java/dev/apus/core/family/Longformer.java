package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Longformer: an encoder whose tokens see a window of each layer's size, and tokens that a text
 * names as global see all with projections of their own. Positions begin after that of padding.
 */
final class Longformer implements ModelFamily {

  private static final String PREFIX = "longformer.";
  private static final String MIXER = "global-attention";

  @Override
  public List<String> names() {
    return List.of("LongformerForMaskedLM", "LongformerModel", "longformer");
  }

  @Override
  public Architecture describe(Config c) {
    int skipped = c.count("pad_token_id", 1) + 1;
    int heads = c.positive("num_attention_heads");
    int positions = c.positive("max_position_embeddings", 512) - skipped;
    if (positions < 1) {
      throw c.errorAt(
          "max_position_embeddings",
          "max_position_embeddings=%d has no place after the first %d, which are of padding",
          positions + skipped,
          skipped);
    }
    int layers = c.positive("num_hidden_layers");
    Decoder shape = new Decoder(c, c.positive("hidden_size"), layers, heads, positions);
    PostNormEncoder e = new PostNormEncoder(c, shape, 1e-12);
    if (!c.word("attention_mode", "longformer").equals("longformer")) {
      throw c.errorAt(
          "attention_mode",
          "attention_mode=\"%s\" is not supported; supported: longformer",
          c.word("attention_mode"));
    }
    c.ignore("ignore_attention_mask", "onnx_export", "sep_token_id");
    List<Layer> all = new ArrayList<>();
    for (int window : windows(c, layers)) {
      if (window < 2 || window % 2 != 0) {
        throw c.errorAt(
            "attention_window", "attention_window=%d must be even and positive", window);
      }
      all.add(
          e.layer(
              Part.of(MIXER)
                  .with("heads", shape.heads)
                  .with("headDim", shape.headDim)
                  .with("window", window / 2 + 1)
                  .with("biased", true)));
    }
    return e.architecture(
        "longformer", names(), e.embedding(1, 2).skipping(skipped), all::get, "gelu");
  }

  private static List<Integer> windows(Config c, int layers) {
    if (!(c.raw("attention_window") instanceof List<?>)) {
      return Collections.nCopies(layers, c.positive("attention_window", 512));
    }
    List<Integer> windows = c.integers("attention_window");
    if (windows.size() != layers) {
      throw c.errorAt(
          "attention_window",
          "attention_window has %d windows; needed: one for each of num_hidden_layers=%d",
          windows.size(),
          layers);
    }
    return windows;
  }

  @Override
  public WeightNames weights(Config c) {
    String self = PostNormEncoder.layer(PREFIX) + "attention.self.";
    WeightNames names = PostNormEncoder.names(PREFIX, "attention.output.", "lm_head.");
    return PostNormEncoder.attention(names, MIXER, PREFIX)
        .row(MIXER + ".global.q", self + "query_global.weight")
        .row(MIXER + ".global.k", self + "key_global.weight")
        .row(MIXER + ".global.v", self + "value_global.weight");
  }
}
