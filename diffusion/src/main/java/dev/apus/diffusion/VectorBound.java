package dev.apus.diffusion;

import dev.apus.core.Evaluator;
import dev.apus.core.Model;
import dev.apus.core.generate.SplitMix;
import dev.apus.core.model.NoiseSchedule;
import dev.apus.core.tensor.Matrix;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The bound of how likely a text is where noise is in vectors, by its parts: with x the vectors of
 * the tokens, and x̂ what the model expects of noisy ones when it knows what it expected before,
 *
 * <pre>
 *   prior            KL(N(α₁ x, σ₁²) ‖ N(0, 1))
 *   reconstruction   Σ over positions of −ln p(token | z₀)
 *   diffusion        mean over times t of ½ e^−γ γ'(t) |x − x̂|²
 * </pre>
 *
 * @param prior what the most noise there is leaves of the text
 * @param reconstruction what the least noise takes of it
 * @param diffusion what is lost between
 * @param error the standard error of the sum, if times were drawn apart
 * @param tokens how many were measured
 * @see <a href="https://arxiv.org/abs/2107.00630">Variational Diffusion Models</a>
 */
public record VectorBound(
    double prior, double reconstruction, double diffusion, double error, int tokens) {

  /**
   * Measures a text, at times that are evenly spaced from a random one on.
   *
   * @param samples how many noisy texts
   * @throws IllegalArgumentException if there are no tokens, fewer than 2 samples, or the model's
   *     noise is not in vectors
   */
  public static VectorBound of(Model model, int[] tokens, int samples, long seed) {
    if (tokens.length == 0 || samples < 2) {
      throw new IllegalArgumentException(
          tokens.length + " tokens, " + samples + " samples; needed: 1 and 2");
    }
    try (var text = new NoisyText(model, tokens)) {
      var seeds = new SplitMix(seed);
      double from = seeds.nextDouble();
      double[] lost = new double[samples];
      double[] taken = new double[samples];
      for (int sample = 0; sample < samples; sample++) {
        lost[sample] = text.lost((from + (double) sample / samples) % 1, seeds.nextLong());
        taken[sample] = text.taken(seeds.nextLong());
      }
      double diffusion = Arrays.stream(lost).average().orElseThrow();
      double reconstruction = Arrays.stream(taken).average().orElseThrow();
      double squares = 0;
      for (int i = 0; i < samples; i++) {
        double off = lost[i] + taken[i] - diffusion - reconstruction;
        squares += off * off;
      }
      double error = Math.sqrt(squares / (samples - 1.0) / samples);
      return new VectorBound(text.prior(), reconstruction, diffusion, error, tokens.length);
    }
  }

  /** What one noisy text at a time adds to the mean of the diffusion. */
  public static double diffusion(Model model, int[] tokens, double time, long seed) {
    try (var text = new NoisyText(model, tokens)) {
      return text.lost(time, seed);
    }
  }

  /** What one text with the least noise adds to the mean of the reconstruction. */
  public static double reconstruction(Model model, int[] tokens, long seed) {
    try (var text = new NoisyText(model, tokens)) {
      return text.taken(seed);
    }
  }

  /** The sum of all parts. */
  public Bound asBound() {
    return new Bound(prior + reconstruction + diffusion, error, tokens);
  }

  /** A text to which noise is added. */
  private static final class NoisyText implements AutoCloseable {

    private final Evaluator text;
    private final NoiseSchedule schedule;
    private final int[] tokens;
    private final Matrix clean;

    NoisyText(Model model, int[] tokens) {
      text = Evaluator.of(model, tokens.length);
      schedule = model.noiseSchedule();
      this.tokens = tokens;
      var gaussian = model.architecture().diffusion().gaussian();
      clean = Matrix.zeros(tokens.length, gaussian == null ? 0 : gaussian.width());
      for (int i = 0; i < tokens.length; i++) {
        text.vector(tokens[i], clean.data(), clean.at(i));
      }
    }

    double prior() {
      double level = schedule.at(1);
      double alpha = Gaussian.signal(level);
      double sigma = Gaussian.signal(-level);
      double sum = 0;
      for (float x : clean.data()) {
        double mean = alpha * x;
        sum += (sigma * sigma + mean * mean - 1) / 2 - StrictMath.log(sigma);
      }
      return sum;
    }

    double taken(long seed) {
      double[] nats = new double[tokens.length];
      text.logits(
          rows(0, seed),
          (row, worker, logits, at) -> {
            int vocabulary = text.model().architecture().vocabulary();
            float[] mine = Arrays.copyOfRange(logits, at, at + vocabulary);
            nats[row] = -Bound.logProbability(mine, tokens[row]);
          });
      return Arrays.stream(nats).sum();
    }

    double lost(double time, long seed) {
      Matrix means = expected(rows(time, seed));
      double squares =
          IntStream.range(0, means.data().length)
              .mapToDouble(i -> (double) clean.data()[i] - means.data()[i])
              .map(difference -> difference * difference)
              .sum();
      return StrictMath.exp(-schedule.at(time)) * schedule.rate(time) * squares / 2;
    }

    /** Rows of a noisy text of which the model knows what it expects. */
    private Matrix rows(double time, long seed) {
      double level = schedule.at(time);
      double alpha = Gaussian.signal(level);
      double sigma = Gaussian.signal(-level);
      var normal = new NormalNumbers(seed);
      Matrix noisy = Matrix.zeros(clean.rows(), clean.cols());
      for (int i = 0; i < noisy.data().length; i++) {
        noisy.data()[i] = (float) (alpha * clean.data()[i] + sigma * normal.getAsDouble());
      }
      text.setLevel(level);
      Matrix means = expected(text.denoise(noisy, null, () -> false));
      return text.denoise(noisy, means, () -> false);
    }

    private Matrix expected(Matrix rows) {
      Matrix means = Matrix.zeros(clean.rows(), clean.cols());
      text.logits(
          rows,
          (row, worker, logits, at) ->
              text.expect(worker, logits, at, means.data(), means.at(row)));
      return means;
    }

    @Override
    public void close() {
      text.close();
    }
  }
}
