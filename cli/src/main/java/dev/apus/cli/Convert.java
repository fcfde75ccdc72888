package dev.apus.cli;

import dev.apus.core.file.FormatException;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.weight.Quantization;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code apus convert}: stores a checkpoint's matrices in another weight format. */
@Command(
    name = "convert",
    description = {
      "Writes a checkpoint anew with its matrices in another weight format.",
      "The new folder holds settings, vocabulary and chat template as they are, and model.gguf with"
          + " the tensors under the names they have in the checkpoint. Apus opens such a folder;"
          + " other programs expect other names in a GGUF file."
    },
    subcommands = ConvertMoe.class,
    footer = {"  apus convert --format Q8_0 models/Qwen3-0.6B models/Qwen3-0.6B-q8"})
final class Convert implements Callable<Integer> {

  @Spec private CommandSpec command;
  @ParentCommand private Apus apus;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "Q8_0",
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private WeightFormat format;

  @Option(
      names = "--keep",
      paramLabel = "REGEX",
      description = "Leave tensors as they are in whose name this is found; routers, if absent.")
  private Pattern keep = Quantization.ROUTERS;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DIR",
      description = "The checkpoint's folder.")
  private Path from;

  @Parameters(index = "1", arity = "0..1", paramLabel = "OUT", description = "The folder to write.")
  private Path to;

  @Override
  public Integer call() throws IOException {
    // Not required by their annotations, because they are not where a subcommand is.
    if (to == null) {
      throw new ParameterException(
          command.commandLine(), "Missing: " + (from == null ? "DIR and OUT" : "OUT"));
    }
    if (!Files.isDirectory(from)) {
      throw new FormatException(from + ": there is no such folder");
    }
    if (Files.exists(to) && (!Files.isDirectory(to) || Files.isSameFile(from, to))) {
      throw new ParameterException(
          command.commandLine(), to + " is the checkpoint itself, or no folder");
    }
    refuseSafetensors();
    ModelFiles files = ModelFiles.folder(from);
    try (TensorFile tensors = files.tensors();
        Arena arena = Arena.ofShared()) {
      Quantization quantization = new Quantization(format, keep);
      List<StoredTensor> stored = quantization.apply(tensors, arena);
      Files.createDirectories(to);
      writer(stored).write(to.resolve("model.gguf"));
      ModelFiles.copySettings(from, to);
      long changed = tensors.tensors().values().stream().filter(quantization::changes).count();
      apus.note(command.commandLine().getErr(), summary(changed, tensors, stored));
    }
    return Failures.OK;
  }

  /** A folder with two sets of tensors would be no model. */
  private void refuseSafetensors() {
    String safetensors = ModelFiles.safetensorsIn(to);
    if (safetensors != null) {
      throw new ParameterException(
          command.commandLine(),
          to
              + " holds "
              + safetensors
              + ", beside which no model.gguf may lie; name another folder");
    }
  }

  private GgufWriter writer(List<StoredTensor> stored) {
    GgufWriter writer = new GgufWriter().text("general.architecture", "huggingface");
    stored.forEach(writer::add);
    return writer;
  }

  private String summary(long changed, TensorFile before, List<StoredTensor> after) {
    return String.format(
        Locale.ROOT,
        "%d of %d tensors are %s now; %s became %s",
        changed,
        after.size(),
        format,
        Units.bytes(bytes(List.copyOf(before.tensors().values()))),
        Units.bytes(bytes(after)));
  }

  private static long bytes(List<StoredTensor> tensors) {
    return tensors.stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
  }
}
