package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.ModelConversion;
import dev.apus.core.ModelOptions;
import dev.apus.core.Quantizer;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.weight.Accounts.Account;
import dev.apus.core.weight.Quantization;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.io.PrintWriter;
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

/** {@code apus quantize}: stores a model's matrices in another weight format, and says the cost. */
@Command(
    name = "quantize",
    description = {
      "Writes a model anew with its matrices in another weight format, and says what that costs.",
      "A GGUF file becomes a GGUF file, if OUT ends in .gguf, and otherwise a folder; so does a"
          + " folder, as apus convert does it. A folder gets model.safetensors for F32, F16 and"
          + " BF16, otherwise model.gguf, which Apus alone opens.",
      "Vectors, norms, routers, taps of convolutions, decays and steps of state spaces stay as they"
          + " are, and so do rows that do not divide into blocks; rows that divide into blocks of"
          + " 32 and not of 256 become Q8_0."
    },
    footer = {
      "  apus quantize models/Qwen3-0.6B -o models/Qwen3-0.6B-q4 --format Q4_K",
      "  apus quantize models/Qwen3-0.6B -o Qwen3-0.6B-Q8_0.gguf",
      "  apus quantize model-f16.gguf -o model-q8.gguf --perplexity tales.txt"
    })
final class Quantize implements Callable<Integer> {

  @Spec private CommandSpec command;
  @ParentCommand private Apus apus;
  @Mixin private Threads threads;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "Q8_0",
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private WeightFormat format;

  @Option(
      names = "--keep",
      paramLabel = "REGEX",
      description = "Also leave tensors as they are in whose name this is found.")
  private Pattern keep;

  @Option(
      names = "--perplexity",
      paramLabel = "FILE",
      description = "Then measure on a text how well the model expects it before and after.")
  private Path text;

  @Option(
      names = "--window",
      paramLabel = "TOKENS",
      defaultValue = "512",
      description = "Tokens in a window of --perplexity (default: ${DEFAULT-VALUE}).")
  private int window;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "OUT",
      required = true,
      description = "The file, NAME.gguf, or folder to write.")
  private Path to;

  @Parameters(paramLabel = "MODEL", description = "A checkpoint's folder, or a GGUF file.")
  private Path from;

  @Override
  public Integer call() throws IOException {
    if (!Files.exists(from)) {
      throw new FormatException(from + ": there is no such file or folder");
    }
    if (window < 2) {
      throw wrong("--window is " + window + "; needed: 2 or more");
    }
    ModelConversion.requireFree(to);
    String read = text == null ? null : TextLoss.read(command, text);
    ModelOptions options = threads.options();
    List<Account> accounts;
    try (Progress progress =
        Progress.bytes(apus, command.commandLine().getErr(), ModelConversion.bytes(from))) {
      accounts = write(options, progress);
    }
    PrintWriter out = command.commandLine().getOut();
    print(accounts, out);
    if (read != null) {
      double before = perplexity(from, read, options, "before", out);
      double after = perplexity(to, read, options, "after", out);
      out.printf(Locale.ROOT, "perplexity times %.4f%n", after / before);
    }
    return Failures.OK;
  }

  private List<Account> write(ModelOptions options, Progress progress) throws IOException {
    if (Files.isDirectory(from) != ModelConversion.isGguf(to)) {
      return Quantizer.write(from, to, rules(), options.threads(), progress::step);
    }
    var conversion = new ModelConversion(from, options, progress::step);
    return ModelConversion.isGguf(to)
        ? conversion.toGguf(to, rules())
        : conversion.toFolder(to, rules());
  }

  private Quantization rules() {
    Pattern kept =
        keep == null ? Quantization.KEPT : Pattern.compile(Quantization.KEPT + "|" + keep);
    return new Quantization(format, kept);
  }

  private ParameterException wrong(String message) {
    return new ParameterException(command.commandLine(), message);
  }

  private static void print(List<Account> accounts, PrintWriter out) {
    Table table = new Table("tensors of", "count", "changed", "before", "after", "relative error");
    long before = 0;
    long after = 0;
    for (Account of : accounts) {
      before += of.before();
      after += of.after();
      table.add(
          of.kind().toString(),
          Integer.toString(of.tensors()),
          Integer.toString(of.changed()),
          Units.bytes(of.before()),
          Units.bytes(of.after()),
          of.changed() == 0 ? "" : String.format(Locale.ROOT, "%.2e", of.error()));
    }
    table.add(
        "all",
        Integer.toString(accounts.stream().mapToInt(Account::tensors).sum()),
        Integer.toString(accounts.stream().mapToInt(Account::changed).sum()),
        Units.bytes(before),
        Units.bytes(after));
    table.print(out);
  }

  private double perplexity(
      Path path, String read, ModelOptions options, String when, PrintWriter out) {
    try (Model model = Model.load(ModelFiles.of(path), options)) {
      int[] tokens = model.tokenizer().encode(read, false, false);
      if (tokens.length < 2) {
        throw wrong(text + " has fewer than 2 tokens; there is nothing to measure");
      }
      try (Progress progress =
          Progress.of(apus, command.commandLine().getErr(), tokens.length, " tokens", 1)) {
        TextLoss loss =
            TextLoss.of(model::newSession, tokens, window, window, (p, t, l) -> progress.step(1));
        out.printf(
            Locale.ROOT,
            "%s: %.5f nats a token, perplexity %.3f, over %d tokens%n",
            when,
            loss.mean(),
            loss.perplexity(),
            loss.counted());
        return loss.perplexity();
      }
    }
  }
}
