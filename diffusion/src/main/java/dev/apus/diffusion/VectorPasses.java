package dev.apus.diffusion;

import dev.apus.core.Evaluator;
import dev.apus.core.Model;
import dev.apus.core.model.NoiseSchedule;
import dev.apus.core.tensor.Matrix;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * The evaluations of one text whose noise is in vectors, by a {@link Gaussian} rule. What is kept
 * are these vectors, in double precision; tokens are only what they look like.
 */
final class VectorPasses implements Passes {

  private final Gaussian rule;
  private final NoiseSchedule schedule;
  private final Evaluator text;
  private final int width;
  private final NormalNumbers normal;

  /** z of each token. */
  private double[][] vectors = {};

  /** x̂ of each token, of the last evaluation; null before the first. */
  private Matrix expected;

  private int[] known = {};
  private BitSet given = new BitSet();
  private Matrix rows;
  private Progress before;
  private Progress now;
  private double level;
  private int evaluations;
  private long computed;

  VectorPasses(Model model, int limit, Recipe recipe) {
    rule = (Gaussian) recipe.rule();
    schedule = model.noiseSchedule();
    text = Evaluator.of(model, limit);
    width = model.architecture().diffusion().gaussian().width();
    normal = new NormalNumbers(recipe.sampling().seed());
  }

  @Override
  public int evaluations() {
    return evaluations;
  }

  @Override
  public long computed() {
    return computed;
  }

  @Override
  public void keep(int same) {
    // Vectors belong to one denoising, and nothing else is kept.
  }

  @Override
  public void begin(Progress next, double noise) {
    before = now;
    now = next;
    level = noise;
    // As the authors' sampler tells it.
    text.setLevel((float) noise);
  }

  @Override
  public void evaluate(
      int[] tokens,
      BitSet fixed,
      Window window,
      int evaluation,
      BitSet noisy,
      BitSet changed,
      BooleanSupplier cancelled) {
    if (evaluation == 0) {
      known = tokens.clone();
      given = fixed;
      expected = null;
      draw();
    } else {
      advance();
    }
    Matrix single = Matrix.zeros(vectors.length, width);
    for (int i = 0; i < vectors.length; i++) {
      for (int j = 0; j < width; j++) {
        single.data()[single.at(i) + j] = (float) vectors[i][j];
      }
    }
    rows = text.denoise(single, expected, cancelled);
    evaluations++;
    computed += vectors.length;
  }

  /** Noise, and in what was given the trace of it that the most noise leaves. */
  private void draw() {
    vectors = new double[known.length][width];
    float[] vector = new float[width];
    for (int i = 0; i < vectors.length; i++) {
      if (given.get(i)) {
        text.vector(known[i], vector, 0);
      }
      for (int j = 0; j < width; j++) {
        double noise = normal.getAsDouble();
        vectors[i][j] =
            given.get(i)
                ? Gaussian.signal(level) * vector[j] + Gaussian.signal(-level) * noise
                : rule.initialNoise() * noise;
      }
    }
  }

  /** Takes all vectors to where the last step leads. */
  private void advance() {
    double goal = rule.goal(before);
    if (goal >= before.time()) {
      return;
    }
    double from = schedule.at(before.time());
    double to = schedule.at(goal);
    double[] means = new double[width];
    for (int i = 0; i < vectors.length; i++) {
      int at = expected.at(i);
      Arrays.setAll(means, j -> expected.data()[at + j]);
      rule.step(vectors[i], means, given.get(i), from, to, normal);
    }
  }

  @Override
  public List<Proposal> proposals(
      int[] positions, Proposer proposer, int evaluation, int tailFrom, float heat) {
    Matrix means = Matrix.zeros(vectors.length, width);
    Proposal[] proposals = new Proposal[positions.length];
    text.logits(
        rows,
        (row, worker, logits, at) -> {
          if (given.get(row)) {
            text.vector(known[row], means.data(), means.at(row));
            return;
          }
          text.expect(worker, logits, at, means.data(), means.at(row));
          int asked = Arrays.binarySearch(positions, row);
          if (asked >= 0) {
            boolean mayEnd = row >= tailFrom;
            proposals[asked] =
                proposer.propose(row, evaluation, worker, logits, at, null, 0, mayEnd);
          }
        });
    expected = means;
    return List.of(proposals);
  }

  @Override
  public void close() {
    text.close();
  }
}
