package dev.apus.core;

import dev.apus.core.compute.Workers;
import dev.apus.core.family.Families;
import dev.apus.core.model.AttentionPolicy;
import dev.apus.core.model.Mixers;
import dev.apus.core.weight.ExpertMemory;
import dev.apus.core.weight.Placement;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.matmul.Products;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * How a model is opened.
 *
 * @param threads how many threads compute, the caller's included
 * @param kernels what computes
 * @param cache how sessions keep keys and values
 * @param attention which keys queries visit
 * @param mixers the parts that an architecture may name
 * @param families the checkpoints that can be read
 * @param weights where matrices lie
 * @param experts how much memory experts may take
 * @param eased whether a small model computes with the scalar kernels, which have the same bits,
 *     until the JVM has compiled the vector kernels
 * @param prefixes whether sessions start from what others have computed
 * @param memoryChecked whether a model that needs more memory than is free is refused
 */
public record ModelOptions(
    int threads,
    Kernels kernels,
    CacheFormat cache,
    AttentionPolicy attention,
    Mixers mixers,
    Families families,
    Placement weights,
    ExpertMemory experts,
    boolean eased,
    PrefixReuse prefixes,
    boolean memoryChecked) {

  public ModelOptions {
    Workers.checked(threads);
    Objects.requireNonNull(kernels, "kernels");
    Objects.requireNonNull(cache, "cache");
    Objects.requireNonNull(attention, "attention");
    Objects.requireNonNull(mixers, "mixers");
    Objects.requireNonNull(families, "families");
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(experts, "experts");
    Objects.requireNonNull(prefixes, "prefixes");
  }

  /**
   * As many threads as processors, the best kernels for this JVM, exact caches, all keys,
   * everything that is installed, and packed weights.
   */
  public static ModelOptions standard() {
    return new ModelOptions(
        Math.min(Workers.MOST_THREADS, Runtime.getRuntime().availableProcessors()),
        Kernels.chosen(),
        CacheFormat.F32,
        AttentionPolicy.FULL,
        Mixers.installed(),
        Families.installed(),
        Placement.PACKED,
        ExpertMemory.UNLIMITED,
        true,
        PrefixReuse.NONE,
        true);
  }

  public ModelOptions withThreads(int count) {
    return with(values -> values.threads = count);
  }

  public ModelOptions withKernels(Kernels chosen) {
    return with(values -> values.kernels = chosen);
  }

  /**
   * What the kernels multiply. Whole numbers make four-bit weights faster and round the inputs of
   * their matrices; exact products keep the bits.
   */
  public ModelOptions withProducts(Products products) {
    return withKernels(kernels.with(products));
  }

  /** BF16 takes half the memory and lets long texts go faster; F32 keeps the bits. */
  public ModelOptions withCache(CacheFormat format) {
    return with(values -> values.cache = format);
  }

  /**
   * Lets queries visit some keys only, or caches forget some; see the guide on policies. A model
   * whose layers cannot follow is refused.
   */
  public ModelOptions withAttention(AttentionPolicy policy) {
    return with(values -> values.attention = policy);
  }

  public ModelOptions withMixers(Mixers parts) {
    return with(values -> values.mixers = parts);
  }

  public ModelOptions withFamilies(Families known) {
    return with(values -> values.families = known);
  }

  public ModelOptions withWeights(Placement placement) {
    return with(values -> values.weights = placement);
  }

  /** Keeps only so many experts in memory, and reads the others from the file as they are asked. */
  public ModelOptions withExperts(ExpertMemory memory) {
    return with(values -> values.experts = memory);
  }

  /** Computes with the chosen kernels from the first call on, however slow they are then. */
  public ModelOptions withoutEasing() {
    return with(values -> values.eased = false);
  }

  /** Sessions start from the longest beginning of their tokens that was computed before. */
  public ModelOptions withPrefixReuse(PrefixReuse reuse) {
    return with(values -> values.prefixes = reuse);
  }

  /** Opens a model whatever memory is free, for systems that can make room. */
  public ModelOptions withoutMemoryCheck() {
    return with(values -> values.memoryChecked = false);
  }

  private ModelOptions with(Consumer<Values> change) {
    Values values = new Values(this);
    change.accept(values);
    return values.options();
  }

  /** The components, open to one change. */
  private static final class Values {
    int threads;
    Kernels kernels;
    CacheFormat cache;
    AttentionPolicy attention;
    Mixers mixers;
    Families families;
    Placement weights;
    ExpertMemory experts;
    boolean eased;
    PrefixReuse prefixes;
    boolean memoryChecked;

    Values(ModelOptions of) {
      threads = of.threads;
      kernels = of.kernels;
      cache = of.cache;
      attention = of.attention;
      mixers = of.mixers;
      families = of.families;
      weights = of.weights;
      experts = of.experts;
      eased = of.eased;
      prefixes = of.prefixes;
      memoryChecked = of.memoryChecked;
    }

    ModelOptions options() {
      return new ModelOptions(
          threads,
          kernels,
          cache,
          attention,
          mixers,
          families,
          weights,
          experts,
          eased,
          prefixes,
          memoryChecked);
    }
  }
}
