package dev.apus.cli;

import dev.apus.core.Session;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.IntFunction;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * How well a model expects the tokens of a text, which is read in windows: the sum of −ln p over
 * all tokens that count. Each counts once, in the first window that it is in; the first token of
 * the first window is given, and so is that of every other if windows do not overlap.
 */
record TextLoss(double sum, int counted) {

  /** Is told of each token that counts. */
  @FunctionalInterface
  interface Listener {
    void counted(int position, int token, double loss);
  }

  double mean() {
    return sum / counted;
  }

  double perplexity() {
    return Math.exp(mean());
  }

  /** A text from a file, or from stdin if that is called {@code -}. */
  static String read(CommandSpec command, Path file) throws IOException {
    boolean stdin = file.toString().equals("-");
    if (!stdin && !Files.isRegularFile(file)) {
      throw new ParameterException(command.commandLine(), file + " is no file");
    }
    try (InputStream in = stdin ? System.in : Files.newInputStream(file)) {
      return Console.read(in);
    } catch (CharacterCodingException e) {
      throw new ParameterException(command.commandLine(), file + " is not UTF-8", e);
    }
  }

  /**
   * Reads a text.
   *
   * @param sessions opens a session of so many tokens
   * @param window tokens in a window
   * @param stride how many tokens after a window the next one begins
   */
  static TextLoss of(
      IntFunction<Session> sessions, int[] tokens, int window, int stride, Listener listener) {
    double sum = 0;
    int counted = 0;
    int end = 0;
    for (int from = 0; end < tokens.length; from += stride) {
      int to = Math.min(from + window, tokens.length);
      int first = Math.max(from + 1, end);
      if (first < to) {
        int[] some = Arrays.copyOfRange(tokens, from, to);
        try (Session session = sessions.apply(some.length)) {
          float[][] logits = session.score(some);
          for (int at = first; at < to; at++) {
            double loss = -logProbability(logits[at - from - 1], tokens[at]);
            listener.counted(at, tokens[at], loss);
            sum += loss;
          }
        }
        counted += to - first;
      }
      end = to;
    }
    return new TextLoss(sum, counted);
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
}
