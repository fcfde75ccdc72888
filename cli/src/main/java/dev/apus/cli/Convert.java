package dev.apus.cli;

import dev.apus.core.ModelConversion;
import dev.apus.core.ModelOptions;
import dev.apus.core.Quantizer;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.weight.Accounts.Account;
import dev.apus.core.weight.Quantization;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code apus convert}: writes a model in another layout, or in another weight format. */
@Command(
    name = "convert",
    description = {
      "Writes a model in another layout, or in another weight format.",
      "A folder becomes a GGUF file that other programs open, if OUT ends in .gguf; a GGUF file"
          + " becomes a folder in the Hugging Face layout. Matrices keep their format unless"
          + " --format names one. Settings, vocabulary and chat template come along.",
      "From folder to folder, matrices get another format. In formats of blocks the new folder"
          + " holds model.gguf, with the tensors under the names that they have in the checkpoint:"
          + " Apus opens such a folder, other programs expect other names in a GGUF file. apus"
          + " quantize does the same, and says what it costs."
    },
    subcommands = ConvertMoe.class,
    footer = {
      "  apus convert models/Qwen3-0.6B Qwen3-0.6B.gguf",
      "  apus convert OLMoE-1B-7B.gguf models/OLMoE-1B-7B --format BF16",
      "  apus convert --format Q8_0 models/Qwen3-0.6B models/Qwen3-0.6B-q8"
    })
final class Convert implements Callable<Integer> {

  @Spec private CommandSpec command;
  @ParentCommand private Apus apus;
  @Mixin private Threads threads;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = {
        "One of ${COMPLETION-CANDIDATES} (default: Q8_0 from folder to folder; otherwise what"
            + " matrices have)."
      })
  private WeightFormat format;

  @Option(
      names = "--keep",
      paramLabel = "REGEX",
      description = {
        "With --format, leave tensors as they are in whose new name this is found; routers and what"
            + " is small, if absent."
      })
  private Pattern keep;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "The checkpoint's folder, or a GGUF file.")
  private Path from;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "OUT",
      description = "The folder to write, or the file, NAME.gguf.")
  private Path to;

  @Override
  public Integer call() throws IOException {
    // Not required by their annotations, because they are not where a subcommand is.
    if (to == null) {
      throw wrong("Missing: " + (from == null ? "MODEL and OUT" : "OUT"));
    }
    if (!Files.exists(from)) {
      throw new FormatException(from + ": there is no such file or folder");
    }
    boolean folder = Files.isDirectory(from);
    if (folder && !ModelConversion.isGguf(to)) {
      quantize();
      return Failures.OK;
    }
    if (!folder && ModelConversion.isGguf(to)) {
      throw wrong("both are GGUF files; apus quantize gives one another format");
    }
    if (keep != null && format == null) {
      throw wrong("--keep is for matrices that get another --format");
    }
    ModelConversion.requireFree(to);
    ModelOptions options = threads.options();
    try (Progress progress =
        Progress.bytes(apus, command.commandLine().getErr(), ModelConversion.bytes(from))) {
      var conversion = new ModelConversion(from, options, progress::step);
      Quantization rules = format == null ? null : rules(format);
      if (folder) {
        conversion.toGguf(to, rules);
      } else {
        conversion.toFolder(to, rules);
      }
    }
    return Failures.OK;
  }

  private void quantize() throws IOException {
    if (Files.exists(to) && (!Files.isDirectory(to) || Files.isSameFile(from, to))) {
      throw wrong(to + " is the checkpoint itself, or no folder");
    }
    refuseTensors();
    WeightFormat wanted = format == null ? WeightFormat.Q8_0 : format;
    Quantization rules = rules(wanted);
    List<Account> accounts;
    try (Progress progress =
        Progress.bytes(apus, command.commandLine().getErr(), ModelConversion.bytes(from))) {
      accounts = Quantizer.write(from, to, rules, threads.options().threads(), progress::step);
    }
    apus.note(
        command.commandLine().getErr(),
        String.format(
            Locale.ROOT,
            "%d of %d tensors are %s now; %s became %s",
            accounts.stream().mapToInt(Account::changed).sum(),
            accounts.stream().mapToInt(Account::tensors).sum(),
            wanted,
            Units.bytes(accounts.stream().mapToLong(Account::before).sum()),
            Units.bytes(accounts.stream().mapToLong(Account::after).sum())));
  }

  private Quantization rules(WeightFormat wanted) {
    return new Quantization(wanted, keep == null ? Quantization.KEPT : keep);
  }

  /** A folder with two sets of tensors would be no model. */
  private void refuseTensors() {
    String held = ModelFiles.safetensorsIn(to);
    if (held == null && Files.exists(to.resolve("model.gguf"))) {
      held = "model.gguf";
    }
    if (held != null) {
      throw wrong(
          to + " holds " + held + ", beside which no other tensors may lie; name another folder");
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
