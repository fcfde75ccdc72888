package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.config.Config;
import dev.apus.core.verify.Verification;
import dev.apus.diffusion.RecordedDecode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code apus verify}: compares checkpoints with what a reference implementation answered. */
@Command(
    name = "verify",
    description = {
      "Compares checkpoints with a reference implementation's answers.",
      "A folder to verify holds, beside the checkpoint, expected.safetensors (input_ids, positions,"
          + " logits) and expected.json (logits_std, greedy tokens, or the texts of a diffusion"
          + " model under several rules). A folder without config.json"
          + " stands for the folders in it. A GGUF file is compared with what lies beside it."
    },
    footer = {
      "  apus verify models/Qwen3-0.6B",
      "  apus verify --tolerance 1e-4 --only Qwen3 models"
    })
final class Verify implements Callable<Integer> {

  private static final String CONFIG = "config.json";
  private static final String ANSWERS = "expected.json";

  @Spec private CommandSpec command;
  @ParentCommand private Apus apus;
  @Mixin private Opening opening;
  @Mixin private AttentionChoice attention;

  @Option(
      names = "--tolerance",
      paramLabel = "T",
      defaultValue = "1e-3",
      description =
          "How far a logit may be off, relative to the logits' standard deviation"
              + " (default: ${DEFAULT-VALUE}).")
  private double tolerance;

  @Option(
      names = "--only",
      paramLabel = "TEXT",
      description = "Verify only folders that have this text in their name.")
  private String only = "";

  @Parameters(paramLabel = "DIR", arity = "1..*", description = "Folders or GGUF files to verify.")
  private List<Path> folders;

  @Override
  public Integer call() throws IOException {
    if (!(tolerance >= 0)) {
      throw wrong("--tolerance is " + tolerance + "; needed: 0 or a positive number");
    }
    List<Path> checkpoints = checkpoints();
    ModelOptions options = attention.over(opening.options());
    apus.noteKernels(command.commandLine().getErr(), options);
    PrintWriter out = command.commandLine().getOut();
    int agreeing = 0;
    int width = checkpoints.stream().mapToInt(p -> p.toString().length()).max().orElse(0);
    String format = "%-" + width + "s  %-16s  %-9s  %-16s  %s%n";
    out.printf(Locale.ROOT, format, "folder", "family", "deviation", "greedy tokens", "verdict");
    for (Path folder : checkpoints) {
      Row row = row(folder, options);
      out.printf(Locale.ROOT, format, folder, row.family, row.deviation, row.greedy, row.verdict);
      out.flush();
      agreeing += row.agrees ? 1 : 0;
    }
    out.printf(Locale.ROOT, "%d of %d folders agree%n", agreeing, checkpoints.size());
    return agreeing == checkpoints.size() ? Failures.OK : Failures.FAILED;
  }

  /** What is printed of one folder. */
  private record Row(
      boolean agrees, String family, String deviation, String greedy, String verdict) {}

  /** One folder that fails must not keep the others from being verified. */
  private Row row(Path folder, ModelOptions options) {
    try {
      if (!Files.exists(Verification.answers(folder).resolve(ANSWERS))) {
        return new Row(false, "-", "-", "-", "has no expected.json to compare with");
      }
      Verification found = Verification.of(folder, options);
      List<RecordedDecode> decodes = decodes(folder, options);
      boolean agrees = found.passes(tolerance) && decodes.stream().allMatch(RecordedDecode::agrees);
      return new Row(
          agrees,
          found.family(),
          String.format(Locale.ROOT, "%.1e", found.deviation()),
          decodes.isEmpty() ? greedy(found) : greedy(decodes),
          agrees ? "agrees" : "DIFFERS");
    } catch (RuntimeException | OutOfMemoryError e) {
      if (apus.debugs()) {
        e.printStackTrace(command.commandLine().getErr());
      }
      return new Row(false, "-", "-", "-", "FAILED: " + sentence(e, folder));
    }
  }

  /** Without the folder, which the row names already. */
  private static String sentence(Throwable e, Path folder) {
    return Failures.sentence(e).replace(folder + "/", "");
  }

  /** What a diffusion model makes of the reference's prompt; none if nothing is recorded. */
  private static List<RecordedDecode> decodes(Path folder, ModelOptions options) {
    Path expected = Verification.answers(folder).resolve(ANSWERS);
    if (!Config.read(expected).has("decodes")) {
      return List.of();
    }
    try (Model model = Model.load(folder, options.withoutEasing())) {
      return RecordedDecode.all(model, expected);
    }
  }

  private static String greedy(List<RecordedDecode> decodes) {
    List<RecordedDecode> wrong = decodes.stream().filter(decode -> !decode.agrees()).toList();
    if (wrong.isEmpty()) {
      return decodes.size() + " texts equal";
    }
    RecordedDecode first = wrong.getFirst();
    return first.name()
        + (first.firstDifference() < 0
            ? " took " + first.evaluations() + ", not " + first.recorded()
            : " differs at " + first.firstDifference());
  }

  private static String greedy(Verification found) {
    if (found.greedyTokens() == 0) {
      return "none";
    }
    return found.firstDifference() < 0
        ? found.greedyTokens() + " equal"
        : "differs at " + found.firstDifference();
  }

  private List<Path> checkpoints() throws IOException {
    List<Path> checkpoints = new ArrayList<>();
    for (Path folder : folders) {
      if (Files.isRegularFile(folder) && folder.toString().endsWith(".gguf")) {
        checkpoints.add(folder);
        continue;
      }
      if (!Files.isDirectory(folder)) {
        throw wrong(folder + (Files.exists(folder) ? " is no folder" : " is not there"));
      }
      List<Path> found =
          Files.exists(folder.resolve(CONFIG)) ? List.of(folder) : checkpointsIn(folder);
      if (found.isEmpty()) {
        throw wrong(folder + " has no config.json, and neither has a folder in it");
      }
      checkpoints.addAll(found);
    }
    checkpoints.removeIf(folder -> !folder.getFileName().toString().contains(only));
    if (checkpoints.isEmpty()) {
      throw wrong("no folder has \"" + only + "\" in its name");
    }
    return checkpoints;
  }

  private static List<Path> checkpointsIn(Path folder) throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children.filter(child -> Files.exists(child.resolve(CONFIG))).sorted().toList();
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
