package dev.apus.core.verify;

import dev.apus.core.Evaluator;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.tensor.Matrix;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How a model's answers compare with a reference implementation's.
 *
 * @param folder the checkpoint, which may be a GGUF file
 * @param deviation the largest difference of a logit, relative to the spread of the reference's
 *     logits
 * @param greedyTokens how many tokens the reference continued the prompt by
 * @param firstDifference the first of them that differs although the reference's choice was clear;
 *     −1 if none does
 * @param family what the checkpoint is
 */
public record Verification(
    Path folder, String family, double deviation, int greedyTokens, int firstDifference) {

  /** A reference that led by less than this did not choose clearly: another token is no error. */
  private static final double UNCLEAR = 1e-3;

  /** Whether the logits deviate by at most {@code tolerance} and no clear token differs. */
  public boolean passes(double tolerance) {
    return deviation <= tolerance && firstDifference < 0;
  }

  /** Where the answers for a checkpoint lie: in its folder, or beside its file. */
  public static Path answers(Path checkpoint) {
    return Files.isRegularFile(checkpoint) ? checkpoint.toAbsolutePath().getParent() : checkpoint;
  }

  /**
   * Opens a checkpoint, a folder or a file, and compares it with the answers that lie beside it.
   *
   * @throws dev.apus.core.file.FormatException if the answers are broken, or none that a model of
   *     this architecture can give
   * @throws dev.apus.core.config.ConfigException if {@code expected.json} is broken
   */
  public static Verification of(Path folder, ModelOptions options) {
    Expected expected = Expected.read(answers(folder));
    try (Model model = Model.load(folder, options.withoutEasing())) {
      expected.requireFrom(model.architecture());
      int limit = expected.length();
      return new Verification(
          folder,
          model.architecture().family(),
          deviation(model, expected, limit),
          expected.greedy().length,
          firstDifference(model, expected, limit));
    }
  }

  private static double deviation(Model model, Expected expected, int limit) {
    if (model.architecture().hasCanvases()) {
      return onCanvas(model, expected, limit) / expected.spread();
    }
    if (expected.vectors() != null) {
      return ofVectors(model, expected, limit) / expected.spread();
    }
    return largest(expected.logits(), logits(model, expected, limit)) / expected.spread();
  }

  private static double largest(float[][] expected, float[][] found) {
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < expected[i].length; j++) {
        double difference = Math.abs((double) found[i][j] - expected[i][j]);
        // NaN counts as the largest difference there is.
        largest = Math.max(largest, difference);
      }
    }
    return largest;
  }

  /** The same of logits that are there for a canvas, without and with knowledge of the first. */
  private static double onCanvas(Model model, Expected expected, int limit) {
    try (Evaluator text = Evaluator.of(model, limit)) {
      text.read(expected.tokens(), new int[0], () -> false);
      int[] canvas = expected.canvas();
      float[][] found = logits(text, text.denoise(canvas, null, () -> false));
      double largest = largest(expected.logits(), found);
      if (expected.conditioned() == null) {
        return largest;
      }
      Matrix means = means(text, expected.logits(), model.architecture().width());
      float[][] again = logits(text, text.denoise(canvas, means, () -> false));
      return Math.max(largest, largest(expected.conditioned(), again));
    }
  }

  /** What the model expects by the reference's own logits. */
  private static Matrix means(Evaluator text, float[][] logits, int width) {
    int vocabulary = text.model().architecture().vocabulary();
    Matrix means = Matrix.zeros(logits.length, width);
    for (int row = 0; row < logits.length; row++) {
      float[] known = Arrays.copyOf(logits[row], vocabulary);
      Arrays.fill(known, logits[row].length, vocabulary, Float.NEGATIVE_INFINITY);
      text.expect(0, known, 0, means.data(), means.at(row));
    }
    return means;
  }

  /** The same of texts of vectors, each at one level. */
  private static double ofVectors(Model model, Expected expected, int limit) {
    double largest = 0;
    double[] levels = expected.levels();
    try (Evaluator text = Evaluator.of(model, limit)) {
      for (int from = 0, to; from < levels.length; from = to) {
        to = from + 1;
        while (to < levels.length && levels[to] == levels[from]) {
          to++;
        }
        text.setLevel(levels[from]);
        Matrix vectors = matrix(Arrays.copyOfRange(expected.vectors(), from, to));
        float[][] known = Arrays.copyOfRange(expected.logits(), from, to);
        float[][] found = logits(text, text.denoise(vectors, null, () -> false));
        largest = Math.max(largest, largest(known, found));
        if (expected.conditioned() != null) {
          Matrix means = means(text, known, vectors.cols());
          float[][] again = logits(text, text.denoise(vectors, means, () -> false));
          float[][] conditioned = Arrays.copyOfRange(expected.conditioned(), from, to);
          largest = Math.max(largest, largest(conditioned, again));
        }
      }
    }
    return largest;
  }

  private static Matrix matrix(float[][] rows) {
    Matrix matrix = Matrix.zeros(rows.length, rows[0].length);
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, matrix.data(), matrix.at(i), matrix.cols());
    }
    return matrix;
  }

  private static float[][] logits(Evaluator text, Matrix rows) {
    int vocabulary = text.model().architecture().vocabulary();
    float[][] logits = new float[rows.rows()][];
    text.logits(
        rows,
        (row, worker, values, at) -> logits[row] = Arrays.copyOfRange(values, at, at + vocabulary));
    return logits;
  }

  /** The model's logits at the places of the reference's. */
  private static float[][] logits(Model model, Expected expected, int limit) {
    if (model.architecture().isEncoder()) {
      List<int[]> global = List.of(expected.global());
      return model
          .newEncoder()
          .encode(List.of(expected.tokens()), null, global)
          .getFirst()
          .logits(expected.positions());
    }
    if (model.architecture().diffusion() != null) {
      return noisy(model, expected, limit);
    }
    try (Session session = model.newSession(limit)) {
      float[][] all = session.score(expected.tokens());
      return Arrays.stream(expected.positions()).mapToObj(at -> all[at]).toArray(float[][]::new);
    }
  }

  /** Logits that a diffusion model gives for a text with noise. */
  private static float[][] noisy(Model model, Expected expected, int limit) {
    float[][] logits = new float[expected.positions().length][];
    int[] positions = IntStream.range(0, expected.tokens().length).toArray();
    double[] levels = expected.levels().length == 0 ? new double[logits.length] : expected.levels();
    try (Evaluator text = Evaluator.of(model, limit)) {
      for (double level : Arrays.stream(levels).distinct().toArray()) {
        text.forget();
        text.setLevel(level);
        float[][] all = logits(text, text.read(expected.tokens(), positions, () -> false));
        for (int i = 0; i < logits.length; i++) {
          logits[i] = levels[i] == level ? all[expected.positions()[i]] : logits[i];
        }
      }
    }
    return logits;
  }

  private static int firstDifference(Model model, Expected expected, int limit) {
    if (expected.greedy().length == 0) {
      return -1;
    }
    try (Session session = model.newSession(limit)) {
      for (int i = 0; i < expected.promptLength(); i++) {
        session.append(expected.tokens()[i]);
      }
      for (int i = 0; i < expected.greedy().length; i++) {
        int token = best(session.logits(), expected.logits()[0].length);
        if (token != expected.greedy()[i] && expected.margins()[i] >= UNCLEAR) {
          return i;
        }
        session.append(expected.greedy()[i]);
      }
    }
    return -1;
  }

  private static int best(float[] logits, int vocabulary) {
    int best = 0;
    for (int i = 1; i < vocabulary; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}
