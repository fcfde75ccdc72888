package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.weight.ExpertMemory;
import dev.apus.core.weight.Placement;
import dev.apus.kernels.matmul.Products;
import java.util.Locale;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

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

  @Option(
      names = "--products",
      paramLabel = "KIND",
      defaultValue = "exact",
      description = {
        "What matrices of four to six bits (Q4_0, Q4_K, Q5_K, Q6_K, MXFP4) multiply: exact, the"
            + " inputs as they are; or integer, inputs rounded to eight bits, which is faster"
            + " (default: ${DEFAULT-VALUE})."
      })
  private Products products;

  @Option(
      names = "--expert-memory",
      paramLabel = "SIZE",
      converter = ByteCount.class,
      description = {
        "The most memory that experts take, such as 800m or 2.5g, for models that are larger than"
            + " the memory: those asked last stay, the others are read from the file as they are"
            + " asked (default: all are in memory)."
      })
  private Long expertMemory;

  @Option(
      names = "--foresee-experts",
      description = "Also read experts beforehand that the next layer will probably ask.")
  private boolean foreseen;

  @Option(
      names = "--no-memory-check",
      description = "Open a model even if it seems to need more memory than is free.")
  private boolean unchecked;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  ModelOptions options() {
    ModelOptions standard = threads.options().withWeights(weights).withProducts(products);
    ModelOptions options = unchecked ? standard.withoutMemoryCheck() : standard;
    if (expertMemory == null) {
      if (foreseen) {
        throw wrong("--foresee-experts needs --expert-memory: without it, all are in memory");
      }
      return options;
    }
    if (expertMemory < 1) {
      throw wrong("--expert-memory must be above 0");
    }
    ExpertMemory memory = ExpertMemory.of(expertMemory);
    return options.withExperts(foreseen ? memory.foreseen() : memory);
  }

  private ParameterException wrong(String message) {
    return new ParameterException(command.commandLine(), message);
  }

  /**
   * How well experts fit the memory they were given, if it was limited; begins with a semicolon.
   */
  static String experts(Model model) {
    return model
        .expertStatistics()
        .map(
            of ->
                String.format(
                    Locale.ROOT,
                    "; %d of %d experts in %s at a time%s, %.1f %% of uses found theirs, %d loaded,"
                        + " %d used from %s%s",
                    of.places(),
                    of.experts(),
                    Units.bytes(of.bytes()),
                    of.held() == 0
                        ? ""
                        : " beside " + Units.bytes(of.held()) + " of rows that no file holds",
                    100 * of.hitRate(),
                    of.loaded(),
                    of.streamed(),
                    of.held() == 0 ? "the file" : "their rows",
                    of.foreseen() == 0
                        ? ""
                        : String.format(
                            Locale.ROOT,
                            ", %d foreseen of which %d were asked",
                            of.foreseen(),
                            of.foreseenAsked())))
        .orElse("");
  }
}
