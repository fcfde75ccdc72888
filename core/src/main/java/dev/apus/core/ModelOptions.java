package dev.apus.core;

import dev.apus.core.family.Families;
import dev.apus.core.model.Mixers;
import dev.apus.kernels.Kernels;
import java.util.Objects;

/**
 * How a model is opened.
 *
 * @param threads how many threads compute, the caller's included
 * @param kernels what computes
 * @param mixers the parts that an architecture may name
 * @param families the checkpoints that can be read
 */
public record ModelOptions(int threads, Kernels kernels, Mixers mixers, Families families) {

  public ModelOptions {
    if (threads < 1 || threads > 1024) {
      throw new IllegalArgumentException("threads must be between 1 and 1024, found " + threads);
    }
    Objects.requireNonNull(kernels, "kernels");
    Objects.requireNonNull(mixers, "mixers");
    Objects.requireNonNull(families, "families");
  }

  /** As many threads as processors, the best kernels for this JVM, everything that is installed. */
  public static ModelOptions standard() {
    return new ModelOptions(
        Math.min(1024, Runtime.getRuntime().availableProcessors()),
        Kernels.chosen(),
        Mixers.installed(),
        Families.installed());
  }

  public ModelOptions withThreads(int count) {
    return new ModelOptions(count, kernels, mixers, families);
  }

  public ModelOptions withKernels(Kernels chosen) {
    return new ModelOptions(threads, chosen, mixers, families);
  }
}
