package dev.apus.diffusion;

import dev.apus.core.Evaluator;
import dev.apus.core.Model;
import dev.apus.core.generate.SplitMix;
import dev.apus.core.model.Diffusion;
import dev.apus.core.tensor.Matrix;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A bound of how likely a text is, whatever order its tokens come in: the mean, over times t and
 * texts x to which that much noise was added, of
 *
 * <pre>
 *   σ'(t) / (e^σ(t) − 1) Σ over masks i of −ln p(xᵢ | x)          where the model gives tokens
 *   σ'(t) Σ over positions i of {@link ScoreEntropy}               where it gives scores
 * </pre>
 *
 * <p>Where noise is in vectors, it is that of {@link VectorBound}.
 *
 * <p>The text's {@code −ln P} is at most that, but for what the most noise there is leaves of the
 * text. It is estimated from some times, evenly spaced from a random one on. In a model that sees
 * text in blocks, each block has a time of its own, and sees the blocks before it as they are.
 *
 * @param nats the mean
 * @param error its standard error, if times were drawn apart
 * @param tokens how many were measured
 * @see <a href="https://arxiv.org/abs/2406.07524">MDLM</a>
 * @see <a href="https://arxiv.org/abs/2503.09573">BD3-LM</a>
 */
public record Bound(double nats, double error, int tokens) {

  /**
   * Measures the tokens after the first {@code given}.
   *
   * @param samples how many noisy texts
   * @throws IllegalArgumentException if there are no tokens, fewer than 2 samples, or the model is
   *     no diffusion model
   */
  public static Bound of(Model model, int[] tokens, int given, int samples, long seed) {
    if (given < 0 || given >= tokens.length || samples < 2) {
      throw new IllegalArgumentException(
          given + " given of " + tokens.length + " tokens, " + samples + " samples; needed: 2");
    }
    if (model.architecture().diffusion() != null
        && model.architecture().diffusion().gaussian() != null) {
      if (given > 0) {
        throw new IllegalArgumentException(
            given
                + " given; needed: 0, because where noise is in vectors the bound is of a text as a"
                + " whole");
      }
      return VectorBound.of(model, tokens, samples, seed).asBound();
    }
    var random = new SplitMix(seed);
    double from = random.nextDouble();
    double[] found = new double[samples];
    try (Evaluator text = Evaluator.of(model, tokens.length)) {
      Diffusion diffusion = model.architecture().diffusion();
      int block = diffusion.block() == 0 ? tokens.length : diffusion.block();
      int blocks = Math.ceilDiv(tokens.length, block);
      for (int sample = 0; sample < samples; sample++) {
        int[] noisy = tokens.clone();
        double[] times = new double[blocks];
        for (int b = 0; b < blocks; b++) {
          int place = sample * blocks + b;
          times[b] = Math.max(Reverse.END, (from + (double) place / samples / blocks) % 1);
          double chance = -StrictMath.expm1(-diffusion.levels().at(times[b]));
          for (int i = Math.max(given, b * block);
              i < Math.min(tokens.length, (b + 1) * block);
              i++) {
            noisy[i] = noise(model, chance, tokens[i], random);
          }
        }
        found[sample] = Arrays.stream(each(text, tokens, noisy, given, times)).sum();
      }
    }
    double mean = Arrays.stream(found).average().orElseThrow();
    double squares = Arrays.stream(found).map(x -> (x - mean) * (x - mean)).sum();
    double error = Math.sqrt(squares / (samples - 1.0) / samples);
    return new Bound(mean, error, tokens.length - given);
  }

  /**
   * What one noisy text adds to the mean.
   *
   * @param clean the text
   * @param noisy the same with noise at some positions
   * @param times how much noise there is, for each block or for the text as a whole
   */
  public static double at(Model model, int[] clean, int[] noisy, int given, double... times) {
    try (Evaluator text = Evaluator.of(model, clean.length)) {
      return Arrays.stream(each(text, clean, noisy, given, times)).sum();
    }
  }

  /** The mean for each token. */
  public double natsPerToken() {
    return nats / tokens;
  }

  private static int noise(Model model, double chance, int token, SplitMix random) {
    boolean moves = random.nextDouble() < chance;
    int mask = model.architecture().diffusion().mask();
    int any = mask >= 0 ? mask : (int) (random.nextDouble() * model.architecture().vocabulary());
    return moves ? any : token;
  }

  /**
   * What each block, or the text as a whole, adds for one noisy text.
   *
   * @param times one for each
   */
  static double[] each(Evaluator text, int[] clean, int[] noisy, int given, double... times) {
    Diffusion diffusion = text.model().architecture().diffusion();
    int block = diffusion.block() == 0 ? clean.length : diffusion.block();
    double[] found = new double[times.length];
    text.forget();
    for (int b = 0; b < times.length; b++) {
      int from = b * block;
      int to = Math.min(clean.length, from + block);
      // The block before was noisy when it was computed.
      int first = Math.max(0, from - block);
      int[] positions = IntStream.range(first, to).toArray();
      int[] tokens = Arrays.stream(positions).map(i -> i < from ? clean[i] : noisy[i]).toArray();
      int[] asked =
          IntStream.range(Math.max(from, given), to)
              .filter(i -> diffusion.mask() < 0 || noisy[i] == diffusion.mask())
              .toArray();
      int shift = diffusion.shifted() ? 1 : 0;
      int[] wanted = Arrays.stream(asked).map(i -> Math.max(0, i - shift) - first).toArray();
      double level = diffusion.levels().at(times[b]);
      text.setLevel(level);
      var change = new Evaluator.Change(text, positions, tokens, wanted);
      Matrix rows = Evaluator.evaluate(List.of(change), () -> false);
      double[] nats = new double[asked.length];
      int vocabulary = text.model().architecture().vocabulary();
      text.logits(
          rows,
          (row, worker, logits, at) -> {
            int i = asked[row];
            float[] mine = Arrays.copyOfRange(logits, at, at + vocabulary);
            nats[row] = nats(diffusion, mine, noisy[i], clean[i], level);
          });
      found[b] = diffusion.levels().rate(times[b]) * Arrays.stream(nats).sum();
    }
    return found;
  }

  private static double nats(
      Diffusion diffusion, float[] logits, int token, int clean, double level) {
    double noise = StrictMath.expm1(level);
    if (!diffusion.output().isScore()) {
      return -logProbability(diffusion, logits, clean) / noise;
    }
    boolean scaled = diffusion.output() == Diffusion.Output.SCALED_SCORES;
    double scale = scaled ? StrictMath.log(noise * (logits.length - 1)) : 0;
    double[] logScores = new double[logits.length];
    Arrays.setAll(logScores, i -> logits[i] - scale);
    return ScoreEntropy.of(diffusion, logScores, token, clean, level);
  }

  private static double logProbability(Diffusion diffusion, float[] logits, int token) {
    if (diffusion.output() == Diffusion.Output.UNMASKED) {
      logits[diffusion.mask()] = Float.NEGATIVE_INFINITY;
    }
    return logProbability(logits, token);
  }

  /** The logarithm of a token's probability. */
  static double logProbability(float[] logits, int token) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += StrictMath.exp(logit - max);
    }
    return logits[token] - max - StrictMath.log(sum);
  }
}
