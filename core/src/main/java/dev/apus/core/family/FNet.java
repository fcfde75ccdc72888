package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.ArrayList;
import java.util.List;

/** FNet: BERT with Fourier transforms in the place of attention, and projected embeddings. */
final class FNet implements ModelFamily {

  private static final String PREFIX = "fnet.";

  /** The reference takes a fast transform where positions are more. */
  private static final int MOST_FOR_MATRICES = 4096;

  @Override
  public List<String> names() {
    return List.of("FNetForMaskedLM", "FNetForPreTraining", "FNetModel", "fnet");
  }

  @Override
  public Architecture describe(Config c) {
    int width = c.positive("hidden_size");
    Decoder shape =
        new Decoder(
            c,
            width,
            c.positive("num_hidden_layers"),
            1,
            c.positive("max_position_embeddings", 512));
    PostNormEncoder e = new PostNormEncoder(c, shape, 1e-12);
    int padded = c.positive("tpu_short_seq_length", 512);
    // By matrices, which are those of the longest text, cut off for shorter ones.
    boolean matrices =
        c.flag("use_tpu_fourier_optimizations", false) && shape.context <= MOST_FOR_MATRICES;
    Part fourier = Part.of("fourier");
    Layer layer = e.layer(matrices ? fourier.with("padded", padded) : fourier);
    List<Step> first = new ArrayList<>();
    Part projection = Part.of("linear").with("biased", true);
    first.add(new Step(List.of(Branch.channel(projection, null))).keeping(0));
    first.addAll(layer.steps());
    return e.architecture("fnet", names(), e.embedding(4), i -> i == 0 ? new Layer(first) : layer);
  }

  @Override
  public WeightNames weights(Config c) {
    return PostNormEncoder.names(PREFIX, "fourier.output.")
        .row("linear.w", PREFIX + "embeddings.projection.weight");
  }
}
