package dev.apus.cli;

import dev.apus.core.Chat;
import dev.apus.core.chat.Tool;
import dev.apus.core.chat.ToolChoice;
import dev.apus.structure.Structure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which tools a model may call in a conversation. */
final class ToolOptions {

  private static final String FREE = "free";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--tools",
      paramLabel = "FILE",
      description = {
        "Offers tools to the model, from a list of JSON, [{\"name\": …, \"description\": …,"
            + " \"parameters\": SCHEMA}]. Its calls are well formed; what you say next is what came"
            + " of them."
      })
  private Path file;

  @Option(
      names = "--tool-choice",
      paramLabel = "CHOICE",
      description = {
        "auto, none, required, or the name of the tool that must be called; free leaves it to the"
            + " model how it writes its calls (default: auto)."
      })
  private String choice;

  boolean areGiven() {
    return file != null;
  }

  /** Offers the tools. */
  void over(Chat chat) throws IOException {
    if (file == null) {
      if (choice != null) {
        throw new ParameterException(command.commandLine(), "--tool-choice is for --tools");
      }
      return;
    }
    List<Tool> tools;
    try {
      tools = Tool.list(Files.readString(file));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), file + ": " + e.getMessage(), e);
    }
    try {
      if (FREE.equals(choice)) {
        chat.offer(tools);
      } else {
        chat.offer(tools, chosen(), Structure::answer);
      }
    } catch (IllegalArgumentException e) {
      String more = FREE.equals(choice) ? "" : "; --tool-choice free offers the tools all the same";
      throw new ParameterException(command.commandLine(), file + ": " + e.getMessage() + more, e);
    }
  }

  private ToolChoice chosen() {
    return switch (choice == null ? "auto" : choice) {
      case "auto" -> ToolChoice.auto();
      case "none" -> ToolChoice.none();
      case "required" -> ToolChoice.required();
      default -> ToolChoice.of(choice);
    };
  }
}
