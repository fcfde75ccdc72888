package dev.apus.benchmarks.context;

import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Layers of the same width that remember in different ways. */
enum LayerKind {
  FULL("full attention", attention()),
  WINDOW("attention in a window of 1024", attention().with("window", 1024)),
  DELTA(
      "Gated DeltaNet",
      new Part(
          "gated-delta-net",
          Map.of("keyHeads", 4, "valueHeads", 8, "keyDim", 64, "valueDim", 64, "taps", 4)));

  /** What a report says of the sizes. */
  static final String SIZES =
      "One layer of width 512 with random BF16 weights: attention with 8 heads of 64 over 2"
          + " key–value heads, or Gated DeltaNet with 8 value heads of 64 over 4 key heads of 64."
          + " No MLP, and 64 tokens to choose from, so that nothing else weighs.";

  private final String title;
  private final Part mixer;

  LayerKind(String title, Part mixer) {
    this.title = title;
    this.mixer = mixer;
  }

  private static Part attention() {
    return new Part(
        "attention",
        Map.of("heads", 8, "kvHeads", 2, "headDim", 64, "rope", Map.of("theta", 1e6, "dims", 64)));
  }

  String title() {
    return title;
  }

  /** A model of this one layer, for texts of so many tokens. */
  Architecture architecture(int context) {
    NormSpec norm = NormSpec.rms(1e-6);
    return new Architecture(
        name().toLowerCase(Locale.ROOT),
        64,
        512,
        context,
        Embedding.PLAIN,
        List.of(Layer.of(Branch.mixer(mixer, norm))),
        norm,
        Head.of(true));
  }
}
