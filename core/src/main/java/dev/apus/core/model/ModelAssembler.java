package dev.apus.core.model;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.RowTable;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.attention.CacheFormat;
import java.util.ArrayList;
import java.util.List;

/** Builds the network that an architecture describes, part by part, from its weights. */
public final class ModelAssembler {

  private ModelAssembler() {}

  /**
   * Builds a network.
   *
   * @param cache how its sequences keep keys and values
   * @throws ConfigException if a part is not installed or cannot run as its settings say
   * @throws dev.apus.core.weight.WeightException if a weight is missing, has another shape, or is
   *     not read by any part
   */
  public static Network assemble(
      Architecture architecture, Mixers mixers, CacheFormat cache, Weights weights) {
    int width = architecture.width();
    int vocabulary = architecture.vocabulary();
    if (architecture.hasCanvases() && architecture.diffusion().shifted()) {
      throw new ConfigException(
          "diffusion: shifted=true with visibility=causal; a canvas has no row before its first,"
              + " which would speak for that");
    }
    if (architecture.diffusion() != null && architecture.diffusion().mask() >= vocabulary) {
      throw new ConfigException(
          "diffusion: the mask "
              + architecture.diffusion().mask()
              + " is not in the vocabulary of "
              + vocabulary);
    }
    WeightScope root = weights.root();
    Architecture.Embedding first = architecture.embedding();
    Architecture.Head spec = architecture.head();
    boolean shared = spec != null && spec.tied();
    // Tied, it is packed as the head, and rows are read from there.
    Projection tied =
        shared ? root.projection("embedding", vocabulary, width, spec.biased()) : null;
    var embedding =
        new BuiltEmbedding(
            first,
            tied == null ? root.lookup("embedding", vocabulary, width) : RowTable.of(tied),
            lookup("positions", first.skipped() + first.positions(), width, root),
            lookup("meta", first.metaTokens(), width, root),
            lookup("types", first.types(), width, root),
            Normalization.of(first.norm(), "embedding.norm", width, root));
    List<BuiltStep> steps = new ArrayList<>();
    var branches = new BranchAssembler(architecture, mixers, cache, weights);
    for (int i = 0; i < architecture.layers().size(); i++) {
      for (Step step : architecture.layers().get(i).steps()) {
        steps.add(branches.step(step, i));
      }
    }
    branches.streams().expectAllRead();
    BuiltConditioning conditioning = BuiltConditioning.of(architecture, mixers, cache, weights);
    HyperConnection end = HyperConnection.ofEnd(architecture.hyper(), "hyper", width, root);
    BuiltHead head = spec == null ? null : BuiltHead.of(spec, tied, vocabulary, width, root);
    Normalization norm = Normalization.of(architecture.norm(), "norm", width, root);
    if (tied != null) {
      weights.expectCopy("head", "embedding", vocabulary, width);
    }
    weights.expectAllRead();
    return new Network(
        architecture, embedding, conditioning, steps, branches.streams().widths(), end, norm, head);
  }

  private static RowTable lookup(String name, int rows, int width, WeightScope root) {
    return rows == 0 ? null : root.lookup(name, rows, width);
  }
}
