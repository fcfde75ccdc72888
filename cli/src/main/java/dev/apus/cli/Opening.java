package dev.apus.cli;

import dev.apus.core.ModelOptions;
import dev.apus.core.weight.Placement;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How a model is opened. */
final class Opening {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads that compute; as many as processors, if absent.")
  private Integer count;

  @Option(
      names = "--weights",
      paramLabel = "WHERE",
      defaultValue = "packed",
      description = {
        "Where weights lie: packed, in memory, which is fastest; or mapped, in the file, for models"
            + " that fill the memory (default: ${DEFAULT-VALUE})."
      })
  private Where weights;

  private enum Where {
    packed,
    mapped
  }

  ModelOptions options() {
    try {
      ModelOptions options =
          ModelOptions.standard()
              .withWeights(weights == Where.mapped ? Placement.MAPPED : Placement.PACKED);
      return count == null ? options : options.withThreads(count);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new ParameterException(command.commandLine(), e.getMessage(), e);
    }
  }
}
