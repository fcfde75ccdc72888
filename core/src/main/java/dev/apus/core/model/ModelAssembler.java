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
import java.util.Locale;

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
    BuiltGaussian gaussian = BuiltGaussian.of(architecture, root);
    // Tied, it is packed as the head, and rows are read from there.
    Projection tied =
        shared ? root.projection("embedding", vocabulary, width, spec.biased()) : null;
    Projection multiplied = gaussian == null ? tied : gaussian.tokens();
    var embedding =
        new BuiltEmbedding(
            first,
            multiplied == null
                ? root.lookup("embedding", vocabulary, width)
                : RowTable.of(multiplied),
            positions(first, width, root),
            lookup("meta", first.metaTokens(), width, root),
            lookup("types", first.types(), width, root),
            Normalization.of(first.norm(), "embedding.norm", width, root));
    List<BuiltStep> steps = new ArrayList<>();
    LevelEmbedding level = LevelEmbedding.of(architecture.diffusion(), root);
    var branches = new BranchAssembler(architecture, mixers, cache, weights, level);
    for (int i = 0; i < architecture.layers().size(); i++) {
      for (Step step : architecture.layers().get(i).steps()) {
        steps.add(branches.step(step, i));
      }
    }
    Streams.Flow ends = branches.streams().end(architecture);
    int endWidth = ends.inputs();
    if (tied != null && endWidth != width) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "the head reads rows of %d values and cannot be the embedding, whose have %d",
              endWidth,
              width));
    }
    branches.streams().expectAllRead();
    BuiltConditioning conditioning = BuiltConditioning.of(architecture, mixers, cache, weights);
    HyperConnection end = HyperConnection.ofEnd(architecture.hyper(), "hyper", width, root);
    BuiltHead head = spec == null ? null : BuiltHead.of(spec, tied, vocabulary, endWidth, root);
    Normalization norm = Normalization.of(architecture.norm(), "norm", endWidth, root);
    Modulation last = Modulation.of(level, "norm", width, 0, root);
    if (tied != null) {
      weights.expectCopy("head", "embedding", vocabulary, width);
    }
    weights.expectAllRead();
    return new Network(
        architecture,
        embedding,
        conditioning,
        steps,
        branches.streams().widths(),
        end,
        BuiltBranch.reading(ends),
        new BuiltEnd(norm, last, head, gaussian));
  }

  private static RowTable positions(Architecture.Embedding first, int width, WeightScope root) {
    Axes axes = first.axes();
    if (axes == null) {
      return lookup("positions", first.skipped() + first.positions(), width, root);
    }
    int rest = width - axes.lineWidth();
    if (rest < 1) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "embedding.axes.lineWidth=%d leaves no room for columns in rows of %d values",
              axes.lineWidth(),
              width));
    }
    return RowTable.crossed(
        root.lookup("positions.line", axes.lines(), axes.lineWidth()),
        root.lookup("positions.column", axes.columns(), rest));
  }

  private static RowTable lookup(String name, int rows, int width, WeightScope root) {
    return rows == 0 ? null : root.lookup(name, rows, width);
  }
}
