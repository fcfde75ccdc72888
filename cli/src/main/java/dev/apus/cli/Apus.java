package dev.apus.cli;

import dev.apus.core.ModelOptions;
import dev.apus.kernels.KernelReport;
import dev.apus.kernels.Kernels;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.ServiceConfigurationError;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code apus} command. */
@Command(
    name = "apus",
    description = "Runs efficient language models on the CPU.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Version.class,
    usageHelpAutoWidth = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:All went well.",
      "1:A check failed, or something went wrong on the way.",
      "2:The command line is wrong.",
      "3:The model cannot be opened: it is not there, broken, or not supported.",
      "4:A text was cut off before it had the form that was asked for."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  apus generate \"Once upon a time\"",
      "  apus generate -m models/Qwen3-0.6B --greedy \"A swift is\"",
      "  apus chat -m models/Qwen3-0.6B",
      "  apus bench -m models/Qwen3-0.6B",
      "  apus generate --help"
    })
final class Apus implements Runnable {

  /** Where slf4j-simple looks for its level, before the first logger is made. */
  private static final String LOG_LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

  @Spec private CommandLine.Model.CommandSpec command;

  @Option(
      names = {"-q", "--quiet"},
      scope = ScopeType.INHERIT,
      description = "Print the result and errors, nothing else.")
  private boolean quiet;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Print where an error came from; setting APUS_DEBUG does the same.")
  private boolean debug;

  private Apus() {}

  public static void main(String[] arguments) {
    // To find parts and to choose kernels takes about as long as to read a command line.
    Thread.ofPlatform().daemon().name("apus-options").start(Apus::lookAround);
    System.exit(run(arguments));
  }

  /** So that what is installed is known when it is needed; who needs it hears of what is wrong. */
  private static void lookAround() {
    try {
      ModelOptions.standard();
    } catch (RuntimeException | LinkageError | ServiceConfigurationError e) {
      // Said again to whoever asks next.
    }
  }

  private static int run(String[] arguments) {
    CommandLine commandLine = commandLine(arguments);
    commandLine.setOut(Console.out());
    commandLine.setErr(Console.err());
    try {
      return commandLine.execute(arguments);
    } finally {
      commandLine.getOut().flush();
      commandLine.getErr().flush();
    }
  }

  /**
   * What reads these arguments; without any, it knows all commands.
   *
   * @param arguments are not read yet
   */
  static CommandLine commandLine(String... arguments) {
    Apus apus = new Apus();
    CommandLine commandLine = new CommandLine(apus);
    Commands.in(arguments).forEach(commandLine::addSubcommand);
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    Failures failures = new Failures(apus);
    commandLine.setParameterExceptionHandler(failures);
    commandLine.setExecutionExceptionHandler(failures);
    commandLine.setExecutionStrategy(
        parsed -> {
          if (apus.quiet) {
            log("error");
          }
          try {
            return new RunLast().execute(parsed);
          } catch (OutOfMemoryError e) {
            return failures.handle(e, parsed.asCommandLineList().getLast());
          }
        });
    return commandLine;
  }

  /** Logs what is at least as grave; has no effect once the first model is open. */
  private static void log(String level) {
    System.setProperty(LOG_LEVEL, level);
  }

  /**
   * For commands that open many models: says once what computes, instead of logging it for each.
   */
  void noteKernels(PrintWriter err, ModelOptions options) {
    log("error");
    KernelReport report = Kernels.report();
    note(
        err,
        String.format(
            Locale.ROOT,
            "%s kernels, %d threads, %s",
            options.kernels().name(),
            options.threads(),
            report.jdk()));
    report.warnings().forEach(warning -> note(err, warning));
  }

  /** Prints a line that is no part of the result, unless there shall be none. */
  void note(PrintWriter err, String line) {
    if (!quiet) {
      err.println(line);
    }
  }

  boolean isQuiet() {
    return quiet;
  }

  boolean debugs() {
    return debug || System.getenv("APUS_DEBUG") != null;
  }

  @Override
  public void run() {
    command.commandLine().usage(command.commandLine().getOut());
  }
}
