package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.Session;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
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
      "  apus perplexity -m models/Qwen3-0.6B --window 2048 tales.txt"
    })
final class Perplexity implements Callable<Integer> {

  @Spec private CommandSpec command;
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

  @Parameters(paramLabel = "FILE", description = "A text in UTF-8; - reads it from stdin.")
  private Path file;

  @Override
  public Integer call() throws IOException {
    if (window < 2) {
      throw wrong("--window is " + window + "; needed: 2 or more", null);
    }
    String text = text();
    try (Model model = choice.open(attention.over(cache.over(opening.options())))) {
      int[] tokens = choice.tokenizer(model).encode(text, false, false);
      if (tokens.length < 2) {
        throw wrong(file + " has fewer than 2 tokens; there is nothing to measure", null);
      }
      double loss = 0;
      int counted = 0;
      for (int at = 0; at + 1 < tokens.length; at += window) {
        int[] some = Arrays.copyOfRange(tokens, at, Math.min(at + window, tokens.length));
        loss += loss(model, some);
        counted += some.length - 1;
      }
      print(loss / counted, counted, loss / text.getBytes(StandardCharsets.UTF_8).length);
    }
    return Failures.OK;
  }

  private String text() throws IOException {
    boolean stdin = file.toString().equals("-");
    if (!stdin && !Files.isRegularFile(file)) {
      throw wrong(file + " is no file", null);
    }
    try (InputStream in = stdin ? System.in : Files.newInputStream(file)) {
      return Console.read(in);
    } catch (CharacterCodingException e) {
      throw wrong(file + " is not UTF-8", e);
    }
  }

  private ParameterException wrong(String message, Exception cause) {
    return new ParameterException(command.commandLine(), message, cause);
  }

  /** The sum of −ln p over all tokens but the first. */
  private double loss(Model model, int[] tokens) {
    double loss = 0;
    try (Session session = choice.session(model, tokens.length)) {
      float[][] logits = session.score(tokens);
      for (int i = 0; i + 1 < tokens.length; i++) {
        loss -= logProbability(logits[i], tokens[i + 1]);
      }
    }
    return loss;
  }

  private static double logProbability(float[] logits, int token) {
    float largest = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp((double) logit - largest);
    }
    return (double) logits[token] - largest - Math.log(sum);
  }

  private void print(double loss, int counted, double lossPerByte) {
    command
        .commandLine()
        .getOut()
        .printf(
            Locale.ROOT,
            "%.5f nats a token, perplexity %.3f, %.4f bits a byte, over %d tokens%n",
            loss,
            Math.exp(loss),
            lossPerByte / Math.log(2),
            counted);
  }
}
