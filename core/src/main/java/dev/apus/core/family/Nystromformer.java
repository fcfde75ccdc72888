package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Nyströmformer: BERT with attention by way of landmarks, and positions from the third row on. */
final class Nystromformer implements ModelFamily {

  private static final String PREFIX = "nystromformer.";

  @Override
  public List<String> names() {
    return List.of("NystromformerForMaskedLM", "NystromformerModel", "nystromformer");
  }

  @Override
  public Architecture describe(Config c) {
    PostNormEncoder e = new PostNormEncoder(c, new Decoder(c, 510), 1e-5);
    int landmarks = c.positive("num_landmarks", 64);
    // Texts of other lengths are divided into as many segments.
    boolean exact = landmarks == c.positive("segment_means_seq_len", 64);
    int taps = c.count("conv_kernel_size", 65);
    if (taps > 0 && taps % 2 == 0) {
      throw c.errorAt("conv_kernel_size", "conv_kernel_size=%d must be odd", taps);
    }
    Part attention =
        Part.of("nystrom-attention")
            .with("heads", e.shape.heads)
            .with("headDim", e.shape.headDim)
            .with("landmarks", exact ? 0 : landmarks)
            .with("taps", taps)
            .with("eachHead", c.flag("inv_coeff_init_option", false))
            .with("biased", true);
    Layer layer = e.layer(attention);
    return e.architecture("nystromformer", names(), e.embedding(2).skipping(2), i -> layer);
  }

  @Override
  public WeightNames weights(Config c) {
    String taps = PostNormEncoder.layer(PREFIX) + "attention.self.conv.weight";
    WeightNames names =
        PostNormEncoder.names(PREFIX, "attention.output.")
            .row("nystrom-attention.taps", taps)
            .shaped(taps, c.positive("num_attention_heads"), 1, c.count("conv_kernel_size", 65), 1);
    return PostNormEncoder.attention(names, "nystrom-attention", PREFIX);
  }
}
