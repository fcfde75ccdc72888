package dev.apus.benchmarks.context;

import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
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
              Map.of("heads", 8, "headDim", 64, "inner", "linear", "rope", Map.of("dims", 64)))));

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

  String title() {
    return title;
  }

  /** How many layers there are of which one layer's share is told. */
  int layers() {
    return mixers.size();
  }

  /** A model of these layers alone, for texts of so many tokens. */
  Architecture architecture(int context) {
    NormSpec norm = NormSpec.rms(1e-6);
    return new Architecture(
        name().toLowerCase(Locale.ROOT),
        64,
        512,
        context,
        Embedding.PLAIN,
        mixers.stream().map(mixer -> Layer.of(Branch.mixer(mixer, norm))).toList(),
        norm,
        Head.of(true));
  }
}
