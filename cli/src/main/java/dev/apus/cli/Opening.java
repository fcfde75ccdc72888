package dev.apus.cli;

import dev.apus.core.ModelOptions;
import dev.apus.core.weight.Placement;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model is opened. */
final class Opening {

  @Mixin private Threads threads;

  @Option(
      names = "--weights",
      paramLabel = "WHERE",
      defaultValue = "packed",
      description = {
        "Where weights lie: packed, in memory, which is fastest; or mapped, in the file, for models"
            + " that fill the memory (default: ${DEFAULT-VALUE})."
      })
  private Placement weights;

  ModelOptions options() {
    return threads.options().withWeights(weights);
  }
}
