package dev.apus.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code apus} command. */
@Command(
    name = "apus",
    description = "Runs efficient language models on the CPU.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class Apus implements Runnable {

  @CommandLine.Spec private CommandLine.Model.CommandSpec command;

  private Apus() {}

  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Apus());
  }

  @Override
  public void run() {
    command.commandLine().usage(command.commandLine().getOut());
  }
}
