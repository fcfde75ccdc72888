package dev.apus.cli;

import dev.apus.moe.convert.MixtureConversion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code apus convert moe}: makes a mixture of experts of checkpoints without experts. */
@Command(
    name = "moe",
    description = {
      "Makes a mixture of experts of Llama, Mistral, Qwen 3 or OLMo 2 checkpoints. Nothing is",
      "trained: upcycle and merge are where training begins; split can be used as it is."
    },
    footer = {
      "  apus convert moe split --experts 8 --top 6 models/fable-dense models/fable-split",
      "  apus convert moe upcycle --experts 8 --top 2 models/Qwen3-0.6B models/Qwen3-8x0.6B",
      "  apus convert moe merge models/tales models/letters models/both"
    })
final class ConvertMoe implements Runnable {

  @Spec private CommandSpec command;

  @Override
  public void run() {
    throw new ParameterException(command.commandLine(), "Missing: split, upcycle or merge");
  }

  /** How many experts there are to be. */
  static final class Count {

    @Option(names = "--experts", paramLabel = "N", required = true, description = "How many.")
    private int experts;

    @Option(
        names = "--top",
        paramLabel = "N",
        required = true,
        description = "How many of them a token is given to.")
    private int top;

    @Option(
        names = "--seed",
        paramLabel = "N",
        defaultValue = "0",
        description = "What routers, or the search for clusters, are drawn from.")
    private long seed;
  }

  /** A conversion that may refuse its numbers. */
  @FunctionalInterface
  private interface Conversion {
    void run() throws IOException;
  }

  private static int convert(CommandSpec command, Path to, Conversion conversion)
      throws IOException {
    if (Files.exists(to)) {
      throw new ParameterException(command.commandLine(), to + " is there already; name a new one");
    }
    try {
      conversion.run();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), e.getMessage(), e);
    }
    return Failures.OK;
  }

  @Command(
      name = "split",
      description = {
        "Shares the inner values of each feed-forward block out to experts, those together whose",
        "gates look for the same. With --top equal to --experts the model stays what it is."
      })
  int split(
      @Mixin Count count,
      @Parameters(paramLabel = "DIR", description = "The checkpoint's folder.") Path from,
      @Parameters(paramLabel = "OUT", description = "The folder to write.") Path to)
      throws IOException {
    return convert(
        command, to, () -> MixtureConversion.split(from, to, count.experts, count.top, count.seed));
  }

  @Command(
      name = "upcycle",
      description = "Copies each feed-forward block to all experts; the model stays what it is.")
  int upcycle(
      @Mixin Count count,
      @Parameters(paramLabel = "DIR", description = "The checkpoint's folder.") Path from,
      @Parameters(paramLabel = "OUT", description = "The folder to write.") Path to)
      throws IOException {
    return convert(
        command,
        to,
        () -> MixtureConversion.upcycle(from, to, count.experts, count.top, count.seed));
  }

  @Command(
      name = "merge",
      description = {
        "Makes checkpoints the experts of one that differ in their feed-forward blocks alone; all",
        "are asked."
      })
  int merge(
      @Parameters(
              paramLabel = "DIR",
              arity = "3..*",
              description = "The checkpoints' folders, and the folder to write.")
          List<Path> folders)
      throws IOException {
    Path to = folders.getLast();
    List<Path> from = folders.subList(0, folders.size() - 1);
    return convert(command, to, () -> MixtureConversion.merge(from, to));
  }
}
