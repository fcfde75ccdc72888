package dev.apus.cli;

import dev.apus.core.ModelOptions;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.AttentionPolicy;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which keys queries visit. */
final class AttentionChoice {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--attention",
      paramLabel = "POLICY",
      defaultValue = "full",
      description = {
        "Which keys queries visit: full, all of them, or a policy with its settings, such as"
            + " streaming:sinks=4,window=1024 (default: ${DEFAULT-VALUE})."
      })
  private String policy;

  ModelOptions over(ModelOptions options) {
    try {
      return options.withAttention(AttentionPolicy.parse(policy));
    } catch (ConfigException e) {
      throw new ParameterException(command.commandLine(), e.getMessage(), e);
    }
  }
}
