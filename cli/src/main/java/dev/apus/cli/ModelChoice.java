package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.tokenizer.Tokenizer;
import dev.apus.core.tokenizer.TokenizerException;
import dev.apus.fable.Fable;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which model a command is about. */
final class ModelChoice {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "PATH",
      description = {
        "A checkpoint: a folder in the Hugging Face layout, or a GGUF file; or the name of a model"
            + " that comes with Apus: fable-hybrid or fable-diffusion.",
        "Without it, the first of these."
      })
  private Path path;

  /** The chosen path, or null for the model that comes with Apus. */
  Path path() {
    return path;
  }

  void choose(Path chosen) {
    path = chosen;
  }

  String name() {
    return path == null ? "fable" : path.toString();
  }

  ModelFiles files() {
    return path == null
        ? Fable.files()
        : isEmbedded() ? Fable.files(path.toString()) : ModelFiles.of(path);
  }

  /** A file of such a name comes first. */
  private boolean isEmbedded() {
    return Fable.names().contains(path.toString()) && !Files.exists(path);
  }

  Model open(ModelOptions options) {
    return Model.load(files(), options);
  }

  /**
   * A session of the model that was opened.
   *
   * @throws ParameterException if the model has no session of so many tokens
   */
  Session session(Model model, int limit) {
    try {
      return model.newSession(limit);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), name() + ": " + e.getMessage(), e);
    }
  }

  /**
   * The tokenizer of the model that was opened.
   *
   * @throws TokenizerException if it has none
   */
  Tokenizer tokenizer(Model model) {
    try {
      return model.tokenizer();
    } catch (IllegalStateException e) {
      throw new TokenizerException(name() + ": " + e.getMessage(), e);
    }
  }
}
