package dev.apus.core.model;

import dev.apus.core.config.ConfigException;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.CacheFormat;
import java.util.Locale;

/**
 * Where a part is built.
 *
 * @param inputs values of the rows it reads
 * @param outputs values of the rows it writes
 * @param layer its layer, counted from 0
 * @param layers how many the model has
 * @param context the longest sequence the model was made for
 * @param kernels what computes it
 * @param cache how keys and values are kept
 * @param weights its weights, under the part's own names
 */
public record Site(
    int inputs,
    int outputs,
    int layer,
    int layers,
    int context,
    Kernels kernels,
    CacheFormat cache,
    WeightScope weights) {

  /** A site in a model of any number of layers. */
  public Site(
      int inputs,
      int outputs,
      int layer,
      int context,
      Kernels kernels,
      CacheFormat cache,
      WeightScope weights) {
    this(inputs, outputs, layer, Integer.MAX_VALUE, context, kernels, cache, weights);
  }

  /** A site of a part that writes rows of the width of those it reads. */
  public Site(
      int width, int layer, int context, Kernels kernels, CacheFormat cache, WeightScope weights) {
    this(width, width, layer, context, kernels, cache, weights);
  }

  /**
   * The attention over the cache, for parts that read keys and values in ways of their own: they
   * must stay as they were stored.
   *
   * @param part what is built
   * @throws ConfigException if they settle
   */
  public Attention steadyAttention(String part) {
    if (cache.settles()) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "layer %d: %s cannot read keys and values that are kept as %s; keep them as f32 or"
                  + " bf16",
              layer,
              part,
              cache));
    }
    return kernels.attention(cache);
  }

  /**
   * Values of the rows that it reads and of those that it writes, for parts that keep the width.
   *
   * @throws ConfigException if the two differ
   */
  public int width() {
    if (inputs != outputs) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "layer %d: a part that keeps the width of its rows reads rows of %d values and is to"
                  + " write rows of %d",
              layer,
              inputs,
              outputs));
    }
    return inputs;
  }
}
