package dev.apus.cli;

import dev.apus.core.Chat;
import dev.apus.core.generate.Sampling;
import dev.apus.structure.Structure;
import dev.apus.structure.StructureException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What form the text must have. */
final class StructureOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @ArgGroup private Form form;

  /** One form at a time. */
  private static final class Form {

    @Option(names = "--json", description = "The text is JSON, of any form.")
    private boolean json;

    @Option(
        names = "--json-schema",
        paramLabel = "FILE|SCHEMA",
        description = "The text is JSON by this schema: a file, or the schema itself, {…}.")
    private String schema;

    @Option(
        names = "--regex",
        paramLabel = "EXPRESSION",
        description = "The text is what this regular expression matches as a whole.")
    private String regex;

    @Option(
        names = "--grammar",
        paramLabel = "FILE",
        description = "The text is what this grammar derives from root, in llama.cpp's GBNF.")
    private Path grammar;

    @Option(
        names = "--choice",
        paramLabel = "TEXT",
        description = "The text is this one, or another that is given in the same way.")
    private List<String> choice;
  }

  /** Whether a form was asked for. */
  boolean wanted() {
    return form != null;
  }

  /**
   * The sampling, with the form that was asked for.
   *
   * @param after the mark up to which the text is free; null if there is none
   */
  Sampling over(Sampling sampling, String after) throws IOException {
    if (form == null) {
      if (after != null) {
        throw new ParameterException(
            command.commandLine(), "--after is for texts that have a form after it");
      }
      return sampling;
    }
    try {
      return sampling.withConstraint(after == null ? structure() : structure().after(after));
    } catch (StructureException e) {
      throw wrong(e);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(
          command.commandLine(), "--stop is not for texts of a given form, which end by it", e);
    }
  }

  ParameterException wrong(StructureException e) {
    return new ParameterException(command.commandLine(), e.getMessage(), e);
  }

  /** Lets a conversation's answers have the form that was asked for, if any. */
  void over(Chat chat) throws IOException {
    if (form != null) {
      try {
        chat.require(structure()::within);
      } catch (StructureException e) {
        throw wrong(e);
      }
    }
  }

  private Structure structure() throws IOException {
    if (form.schema != null) {
      boolean inline = form.schema.strip().startsWith("{");
      return Structure.schema(inline ? form.schema : Files.readString(Path.of(form.schema)));
    }
    if (form.regex != null) {
      return Structure.regex(form.regex);
    }
    if (form.grammar != null) {
      return Structure.grammar(Files.readString(form.grammar));
    }
    return form.choice == null
        ? Structure.json()
        : Structure.choice(form.choice.toArray(String[]::new));
  }
}
