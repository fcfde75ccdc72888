package dev.apus.attention.softmax;

import dev.apus.core.config.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * How much each key–value head needs to see everything, as DuoAttention publishes it for a model
 * ({@code full_attention_heads.tsv}): a line for each layer, a number from 0 to 1 for each head.
 *
 * @param values by layers and heads
 * @param least the least score of a head that sees everything
 */
record HeadScores(double[][] values, double least) {

  /** Reads {@code file}; {@code sparsity} is the share of heads that do not see everything. */
  static HeadScores read(Config c) {
    String file = c.word("file");
    double sparsity = c.number("sparsity", 0.5);
    if (!(sparsity >= 0 && sparsity <= 1)) {
      throw c.errorAt("sparsity", "select.sparsity=%s must be from 0 to 1", sparsity);
    }
    double[][] values = values(c, file);
    double[] sorted = Arrays.stream(values).flatMapToDouble(Arrays::stream).sorted().toArray();
    // Between two scores, as quantiles are.
    double at = sparsity * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    double least = sorted[below] + (sorted[above] - sorted[below]) * (at - below);
    return new HeadScores(values, sparsity == 1 ? Double.POSITIVE_INFINITY : least);
  }

  private static double[][] values(Config c, String file) {
    List<String> lines;
    try {
      lines = Files.readAllLines(Path.of(file)).stream().filter(s -> !s.isBlank()).toList();
    } catch (IOException | InvalidPathException e) {
      throw c.errorAt("file", "select.file: %s cannot be read (%s)", file, e);
    }
    if (lines.isEmpty()) {
      throw c.errorAt("file", "select.file: %s has no scores; needed: a line a layer", file);
    }
    double[][] values = new double[lines.size()][];
    for (int i = 0; i < values.length; i++) {
      try {
        values[i] =
            Arrays.stream(lines.get(i).strip().split("\t"))
                .mapToDouble(HeadScores::score)
                .toArray();
      } catch (NumberFormatException e) {
        throw c.errorAt(
            "file",
            "select.file: %s has scores that are not numbers in the line of layer %d",
            file,
            i);
      }
    }
    return values;
  }

  private static double score(String text) {
    double score = Double.parseDouble(text.strip());
    if (Double.isNaN(score)) {
      throw new NumberFormatException(text);
    }
    return Math.clamp(score, 0.0, 1.0);
  }

  /** The heads of a layer that see everything. */
  BitSet full(Config c, Selections.Layer layer) {
    boolean known = layer.layers() < Integer.MAX_VALUE;
    if (layer.index() >= values.length || known && values.length != layer.layers()) {
      throw c.errorAt(
          "file",
          "select.file has scores of %d layers; the model has %d",
          values.length,
          known ? layer.layers() : layer.index() + 1);
    }
    double[] heads = values[layer.index()];
    if (heads.length != layer.heads().keyHeads()) {
      throw c.errorAt(
          "file",
          "select.file has scores of %d heads in layer %d; it has %d heads of keys and values",
          heads.length,
          layer.index(),
          layer.heads().keyHeads());
    }
    var full = new BitSet();
    for (int head = 0; head < heads.length; head++) {
      full.set(head, heads[head] >= least);
    }
    return full;
  }
}
