package dev.apus.benchmarks.policies;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.kernels.block.WeightFormat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What is measured.
 *
 * @param words for reports; empty for a model that its user knows
 * @param policies that are measured if none are asked for
 */
record Subject(String words, List<String> policies, Opener opener) {

  private static final int LAYERS = 6;

  /** Every kind of policy that any model can follow, as it is by default. */
  private static final List<String> STANDARD =
      List.of("streaming", "quest", "h2o", "tova", "snapkv", "xattention", "vertical-slash");

  /** Opens the model. */
  @FunctionalInterface
  interface Opener {
    Model open(ModelOptions options);
  }

  /** A checkpoint. */
  static Subject of(Path path) {
    return new Subject("", STANDARD, options -> Model.load(path, options));
  }

  /** A model with random weights that is so narrow that its attention takes most of the time. */
  static Subject random(int context) {
    List<String> policies = new ArrayList<>(STANDARD);
    policies.add(1, duo());
    return new Subject(
        "A model of "
            + LAYERS
            + " layers with random weights in BF16, rows of 256 values, 8 heads of 64 values over 2"
            + " key–value heads. ",
        policies,
        options -> Model.random(architecture(context), 1, WeightFormat.BF16, options));
  }

  /** One head of two sees everything. */
  private static String duo() {
    return IntStream.range(0, LAYERS)
        .mapToObj(layer -> layer + "/0")
        .collect(Collectors.joining("+", "duo:full=", ""));
  }

  private static Architecture architecture(int context) {
    NormSpec norm = NormSpec.rms(1e-6);
    Part attention =
        new Part(
            "attention",
            Map.of(
                "heads", 8, "kvHeads", 2, "headDim", 64, "rope", Map.of("theta", 1e6, "dims", 64)));
    Part mlp = new Part("gated-mlp", Map.of("inner", 512, "activation", "silu"));
    Layer layer = Layer.of(Branch.mixer(attention, norm), Branch.channel(mlp, norm));
    return new Architecture(
        "policies",
        512,
        256,
        context,
        Embedding.PLAIN,
        Collections.nCopies(LAYERS, layer),
        norm,
        Head.of(true));
  }
}
