package dev.apus.cli;

import dev.apus.core.ModelOptions;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How many threads compute. */
final class Threads {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads that compute; as many as processors, if absent.")
  private Integer count;

  ModelOptions options() {
    try {
      ModelOptions options = ModelOptions.standard();
      return count == null ? options : options.withThreads(count);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new ParameterException(command.commandLine(), e.getMessage(), e);
    }
  }
}
