package dev.apus.benchmarks.context;

import dev.apus.core.model.Part;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Layers of the same width that remember in different ways. */
enum LayerKind {
  FULL("full attention", List.of(attention())),
  WINDOW("attention in a window of 1024", List.of(attention().with("window", 1024))),
  DELTA(
      "Gated DeltaNet",
      List.of(
          new Part(
              "gated-delta-net",
              Map.of("keyHeads", 4, "valueHeads", 8, "keyDim", 64, "valueDim", 64, "taps", 4)))),
  MAMBA2("Mamba-2", List.of(mamba2())),
  HYBRID("7 of Mamba-2 to 1 of full attention, a layer's share", hybrid()),
  LINEAR(
      "linear attention, elu + 1",
      List.of(linear().with("features", Map.of("map", "elu")).with("scale", 0.125))),
  GLA(
      "Gated Linear Attention",
      List.of(
          linear()
              .with("gate", "silu")
              .with("decay", Map.of("gate", "key", "latent", 16, "biased", true, "root", 16)))),
  MLSTM(
      "mLSTM",
      List.of(
          new Part(
              "mlstm",
              Map.of("heads", 8, "keyDim", 32, "valueDim", 64, "norm", Map.of("epsilon", 1e-6))))),
  HGRN("HGRN", List.of(new Part("gated-recurrence", Map.of("inner", 512, "gates", "forget")))),
  TTT(
      "TTT-Linear",
      List.of(
          new Part(
              "ttt",
              Map.of("heads", 8, "headDim", 64, "inner", "linear", "rope", Map.of("dims", 64))))),
  QUEST(
      "Quest, 64 pages of 16",
      List.of(selecting(Map.of("kind", "quest", "page", 16, "budget", 1024, "skip", 0)))),
  MOBA("MoBA, 4 blocks of 256", List.of(selecting(Map.of("kind", "moba", "block", 256, "top", 4)))),
  NSA(
      "NSA, 16 blocks of 64 and a window of 512",
      List.of(
          new Part("native-sparse-attention", attention().settings())
              .with("block", 64)
              .with("top", 16)
              .with("window", 512))),
  MLA(
      "MLA, latents of 128",
      List.of(
          new Part(
              "latent-attention",
              Map.of(
                  "heads",
                  8,
                  "latent",
                  128,
                  "ownDim",
                  64,
                  "sharedDim",
                  32,
                  "rope",
                  Map.of("theta", 1e6, "dims", 32)))));

  private static final int FILLED_WINDOW = 64;

  private final String title;
  private final List<Part> mixers;

  LayerKind(String title, List<Part> mixers) {
    this.title = title;
    this.mixers = mixers;
  }

  private static Part mamba2() {
    return new Part(
        "mamba2",
        Map.of("heads", 16, "headDim", 64, "stateSize", 128, "taps", 4, "activation", "silu"));
  }

  private static List<Part> hybrid() {
    List<Part> mixers = new ArrayList<>(Collections.nCopies(7, mamba2()));
    mixers.add(attention());
    return mixers;
  }

  private static Part linear() {
    return new Part(
        "linear-attention", Map.of("heads", 8, "kvHeads", 8, "keyDim", 64, "valueDim", 64));
  }

  private static Part attention() {
    return new Part(
        "attention",
        Map.of("heads", 8, "kvHeads", 2, "headDim", 64, "rope", Map.of("theta", 1e6, "dims", 64)));
  }

  private static Part selecting(Map<String, Object> select) {
    return attention().with("select", select);
  }

  String title() {
    return title;
  }

  /** The layers of which one layer's share is told. */
  List<Part> mixers() {
    return mixers;
  }

  /**
   * What leaves the same state behind as a mixer and takes less time where it attends: keys and
   * values do not depend on who visits them.
   */
  static Part filler(Part mixer) {
    return switch (mixer.type()) {
      case "attention", "native-sparse-attention" -> attention().with("window", FILLED_WINDOW);
      case "latent-attention" ->
          mixer.with(
              "select",
              Map.of(
                  "kind", "streaming", "sinks", 1, "window", FILLED_WINDOW, "positions", "text"));
      default -> mixer;
    };
  }
}
