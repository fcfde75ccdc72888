package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** BERT, and what is made of it for embeddings: an encoder of post-norm attention and MLP. */
final class Bert implements ModelFamily {

  private static final String PREFIX = "bert.";

  @Override
  public List<String> names() {
    return List.of("BertForMaskedLM", "BertForPreTraining", "BertModel", "bert");
  }

  @Override
  public Architecture describe(Config c) {
    PostNormEncoder e = new PostNormEncoder(c, new Decoder(c, 512), 1e-12);
    Layer layer = e.layer(e.shape.attention().with("biased", true).with("outBiased", true));
    return e.architecture("bert", names(), e.embedding(2), i -> layer);
  }

  @Override
  public WeightNames weights(Config c) {
    return PostNormEncoder.attention(
        PostNormEncoder.names(PREFIX, "attention.output."), "attention", PREFIX);
  }
}
