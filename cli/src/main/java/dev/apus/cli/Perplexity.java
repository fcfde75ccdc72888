package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.config.ConfigWriter;
import dev.apus.core.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code apus perplexity}: how well a model expects a text. */
@Command(
    name = "perplexity",
    description = {
      "Measures how well a model expects a text: the mean of -ln p(token), and its exponential.",
      "The text is cut into windows; the first token of each is given. What a conversion costs is"
          + " the difference between two models on the same text."
    },
    footer = {
      "  apus perplexity tales.txt",
      "  apus perplexity -m models/Qwen3-0.6B --window 2048 --stride 512 tales.txt",
      "  apus perplexity --each tale.txt | sort -k3 -n | tail"
    })
final class Perplexity implements Callable<Integer> {

  @Spec private CommandSpec command;
  @ParentCommand private Apus apus;
  @Mixin private ModelChoice choice;
  @Mixin private Opening opening;
  @Mixin private CacheChoice cache;
  @Mixin private AttentionChoice attention;

  @Option(
      names = "--window",
      paramLabel = "TOKENS",
      defaultValue = "512",
      description = "Tokens in a window (default: ${DEFAULT-VALUE}).")
  private int window;

  @Option(
      names = "--stride",
      paramLabel = "TOKENS",
      description = {
        "How many tokens after a window the next one begins. Below --window, windows overlap: each"
            + " token counts once, with at least --window less --stride tokens before it, and the"
            + " text is read more than once (default: --window).",
      })
  private Integer stride;

  @Option(
      names = "--each",
      description = "First print a line for each token: position, id, -ln p, and its text.")
  private boolean each;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "text",
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Output output;

  /** How results are printed. */
  enum Output {
    text,
    json
  }

  @Parameters(paramLabel = "FILE", description = "A text in UTF-8; - reads it from stdin.")
  private Path file;

  @Override
  public Integer call() throws IOException {
    if (window < 2) {
      throw wrong("--window is " + window + "; needed: 2 or more");
    }
    int step = stride == null ? window : stride;
    if (step < 1 || step > window) {
      throw wrong("--stride is " + step + "; needed: from 1 to --window=" + window);
    }
    String text = TextLoss.read(command, file);
    PrintWriter out = command.commandLine().getOut();
    try (Model model = choice.open(attention.over(cache.over(opening.options())))) {
      Tokenizer tokenizer = choice.tokenizer(model);
      int[] tokens = tokenizer.encode(text, false, false);
      if (tokens.length < 2) {
        throw wrong(file + " has fewer than 2 tokens; there is nothing to measure");
      }
      try (Progress progress =
          Progress.of(apus, command.commandLine().getErr(), tokens.length, " tokens", 1)) {
        TextLoss loss =
            TextLoss.of(
                limit -> choice.session(model, limit),
                tokens,
                window,
                step,
                (position, token, of) -> {
                  progress.step(1);
                  if (each) {
                    print(out, tokenizer, position, token, of);
                  }
                });
        print(out, loss, loss.sum() / text.getBytes(StandardCharsets.UTF_8).length, step);
      }
    }
    return Failures.OK;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(command.commandLine(), message);
  }

  /** A token's text as JSON writes it, so that breaks and quotes stay on the line. */
  private static void print(
      PrintWriter out, Tokenizer tokenizer, int position, int token, double loss) {
    String text = ConfigWriter.json(Map.of("t", tokenizer.decode(new int[] {token})));
    String quoted = text.substring(text.indexOf(':') + 1, text.lastIndexOf('}')).strip();
    out.printf(Locale.ROOT, "%d\t%d\t%.5f\t%s%n", position, token, loss, quoted);
  }

  private void print(PrintWriter out, TextLoss loss, double lossPerByte, int step) {
    double bits = lossPerByte / Math.log(2);
    if (output == Output.json) {
      Map<String, Object> said = new LinkedHashMap<>();
      said.put("model", choice.name());
      said.put("tokens", loss.counted());
      said.put("window", window);
      said.put("stride", step);
      said.put("nats_per_token", loss.mean());
      said.put("perplexity", loss.perplexity());
      said.put("bits_per_byte", bits);
      out.println(ConfigWriter.json(said));
      return;
    }
    out.printf(
        Locale.ROOT,
        "%.5f nats a token, perplexity %.3f, %.4f bits a byte, over %d tokens%n",
        loss.mean(),
        loss.perplexity(),
        bits,
        loss.counted());
  }
}
