package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.hub.Hub;
import dev.apus.core.hub.HubModel;
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
      paramLabel = "MODEL",
      description = {
        "A checkpoint: a folder in the Hugging Face layout, or a GGUF file; or hf:OWNER/NAME, which"
            + " is pulled first; or the name of a model that comes with Apus: fable-hybrid or"
            + " fable-diffusion.",
        "Without it, the first of these."
      })
  private String place;

  /** Where the model is, in the user's words, or null for the one that comes with Apus. */
  String place() {
    return place;
  }

  void choose(String chosen) {
    place = chosen;
  }

  String name() {
    return place == null ? "fable" : place;
  }

  ModelFiles files() {
    if (place == null) {
      return Fable.files();
    }
    if (HubModel.isReference(place)) {
      return ModelFiles.of(pulled());
    }
    return isEmbedded() ? Fable.files(place) : ModelFiles.of(Path.of(place));
  }

  private Path pulled() {
    var apus = (Apus) command.root().userObject();
    try (PullView view = new PullView(apus, command.commandLine().getErr())) {
      return Hub.standard().pull(HubModel.parse(place), view);
    }
  }

  /** A file of such a name comes first. */
  private boolean isEmbedded() {
    return Fable.names().contains(place) && !Files.exists(Path.of(place));
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
