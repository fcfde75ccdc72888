package dev.apus.cli;

import dev.apus.core.ModelOptions;
import dev.apus.kernels.attention.CacheFormat;
import picocli.CommandLine.Option;

/** How sessions keep keys and values. */
final class CacheChoice {

  @Option(
      names = "--cache",
      paramLabel = "FORMAT",
      defaultValue = "f32",
      description = {
        "How attention keeps keys and values: f32, exactly; bf16, rounded, in half the memory; q8"
            + " or q4, in 9 or 5 bits each behind the last 256 tokens (default: ${DEFAULT-VALUE})."
      })
  private CacheFormat format;

  ModelOptions over(ModelOptions options) {
    return options.withCache(format);
  }
}
