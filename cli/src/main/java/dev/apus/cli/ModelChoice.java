package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.tokenizer.Tokenizer;
import dev.apus.core.tokenizer.TokenizerException;
import dev.apus.fable.Fable;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which model a command is about. */
final class ModelChoice {

  @Option(
      names = {"-m", "--model"},
      paramLabel = "PATH",
      description = {
        "A checkpoint: a folder in the Hugging Face layout, or a GGUF file.",
        "Without it, the small storyteller that comes with Apus."
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

  Model open(ModelOptions options) {
    return path == null ? Fable.open(options) : Model.load(path, options);
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
