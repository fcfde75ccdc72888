package dev.apus.cli;

import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.config.Config;
import dev.apus.core.file.ModelFiles;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code apus random}: a checkpoint with random weights, for measurements. */
@Command(
    name = "random",
    description = {
      "Writes a checkpoint of any architecture with random weights, which this and other programs"
          + " can run: how fast a model is does not depend on what it has learned.",
      "A name that ends in .gguf gives a GGUF file as llama.cpp has them, with a made-up"
          + " vocabulary. Any other name is a folder in the Hugging Face layout, with safetensors"
          + " for F32, F16 and BF16; other formats have no safetensors, so that it holds a"
          + " model.gguf which Apus alone opens.",
      "The same seed gives the same weights in every format, but for rounding."
    },
    footer = {
      "  apus random config.json --format Q8_0 -o model.gguf",
      "  apus random models/Qwen3-0.6B --format BF16 -o random-qwen"
    })
final class RandomModel implements Callable<Integer> {

  @Spec private CommandSpec command;
  @Mixin private Threads threads;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "BF16",
      description = "Of matrices: one of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private WeightFormat format;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "What the weights are drawn from (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "OUT",
      required = true,
      description = "The file, NAME.gguf, or folder to write.")
  private Path output;

  @Parameters(
      paramLabel = "ARCHITECTURE",
      description = "A config.json or a folder with one, or a document that apus describe prints.")
  private Path from;

  @Override
  public Integer call() throws IOException {
    ModelOptions options = threads.options();
    Path file = Files.isDirectory(from) ? from.resolve("config.json") : from;
    RandomCheckpoint checkpoint = RandomCheckpoint.of(Config.read(file), options);
    String name = output.toString();
    if (name.endsWith(".gguf")) {
      checkpoint.writeGguf(output, format, seed);
    } else {
      requireFolder(name);
      checkpoint.writeFolder(output, format, seed);
    }
    return Failures.OK;
  }

  /** What is trained must not be lost, and a folder with two sets of tensors would be no model. */
  private void requireFolder(String name) {
    if (name.endsWith(".safetensors")) {
      throw wrong("is a file; name the folder for config.json and model.safetensors");
    }
    if (!Files.exists(output)) {
      return;
    }
    if (!Files.isDirectory(output)) {
      throw wrong("is no folder, and does not end in .gguf");
    }
    String held = ModelFiles.safetensorsIn(output);
    if (held == null && Files.exists(output.resolve("model.gguf"))) {
      held = "model.gguf";
    }
    if (held != null) {
      throw wrong("holds " + held + " already; remove it, or name another folder");
    }
  }

  private ParameterException wrong(String reason) {
    return new ParameterException(command.commandLine(), output + " " + reason);
  }
}
