package dev.apus.cli;

import dev.apus.core.config.ConfigException;
import dev.apus.core.file.FormatException;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.hub.HubException;
import dev.apus.core.template.TemplateException;
import dev.apus.core.tokenizer.TokenizerException;
import dev.apus.core.weight.WeightException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one sentence on the error stream and an exit code. */
final class Failures implements IParameterExceptionHandler, IExecutionExceptionHandler {

  static final int OK = 0;
  static final int FAILED = 1;
  static final int WRONG_USAGE = 2;
  static final int NO_MODEL = 3;
  static final int CUT_OFF = 4;

  private final Apus apus;

  Failures(Apus apus) {
    this.apus = apus;
  }

  @Override
  public int handleParseException(ParameterException e, String[] arguments) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    PrintWriter err = command.getErr();
    err.println(name + ": " + e.getMessage());
    if (!UnmatchedArgumentException.printSuggestions(e, err)) {
      err.println("see " + name + " --help");
    }
    trace(e, err);
    return WRONG_USAGE;
  }

  @Override
  public int handleExecutionException(Exception e, CommandLine command, ParseResult parsed) {
    PrintWriter err = command.getErr();
    err.println(command.getCommandSpec().qualifiedName() + ": " + sentence(e));
    trace(e, err);
    return isOfModel(e) ? NO_MODEL : FAILED;
  }

  private void trace(Throwable e, PrintWriter err) {
    if (apus.debugs()) {
      e.printStackTrace(err);
    }
  }

  /** What went wrong, for a person. */
  static String sentence(Throwable e) {
    return switch (e) {
      case OutOfMemoryError error -> memory(error, false);
      case UncheckedIOException unchecked -> sentence(unchecked.getCause());
      case FileSystemException file -> file.getFile() + ": " + reason(file);
      case IOException io -> io.getMessage() == null ? io.toString() : io.getMessage();
      case GenerationException generation -> generation.getMessage();
      default ->
          isOfModel(e) || e instanceof IllegalStateException
              ? e.getMessage()
              : e + "; that is a fault of Apus, and --debug shows where it is";
    };
  }

  /** What kept a file from being used; the exceptions of most faults say it by their name alone. */
  private static String reason(FileSystemException e) {
    return e.getReason() != null
        ? e.getReason()
        : e.getClass()
            .getSimpleName()
            .replaceFirst("Exception$", "")
            .replaceAll("(?<=[a-z])(?=[A-Z])", " ")
            .toLowerCase(Locale.ROOT);
  }

  /** A command that was left without memory; the JVM itself can go on. */
  int handle(OutOfMemoryError e, CommandLine command) {
    PrintWriter err = command.getErr();
    CommandSpec spec = command.getCommandSpec();
    err.println(spec.qualifiedName() + ": " + memory(e, spec.findOption("--limit") != null));
    trace(e, err);
    return FAILED;
  }

  /**
   * Which memory there is not enough of.
   *
   * @param limited whether the command has {@code --limit}
   */
  private static String memory(OutOfMemoryError e, boolean limited) {
    String found = "there is not enough memory (" + e.getMessage() + "); ";
    return isOfHeap(e)
        ? found + "the JVM's heap is full: APUS_OPTS=-Xmx8g makes it 8 GB large"
        : found
            + "weights and states lie outside the JVM's heap: the process needs about as much as"
            + " the model's file and the session's state take"
            + (limited ? "; a smaller --limit makes the state smaller" : "");
  }

  /** What the JVM says of the heap; of other memory it names what could not be allocated. */
  private static boolean isOfHeap(OutOfMemoryError e) {
    String message = String.valueOf(e.getMessage());
    return message.startsWith("Java heap space")
        || message.startsWith("GC overhead limit")
        || message.startsWith("Requested array size");
  }

  private static boolean isOfModel(Throwable e) {
    return e instanceof FormatException
        || e instanceof ConfigException
        || e instanceof HubException
        || e instanceof WeightException
        || e instanceof TokenizerException
        || e instanceof TemplateException;
  }
}
