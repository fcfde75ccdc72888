package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;

/**
 * How noisy vectors z of n values become rows, and rows logits, at the level γ of noise:
 *
 * <pre>
 *   x = W z / √(α²/n + σ²) + E x̂ √n + L [sin(γ f₀), …, cos(γ f₀), …]        ln fᵢ = −range … range
 *   logits = head(norm(x)) + (α / σ²) V z
 * </pre>
 *
 * <p>V are the vectors of all tokens, and x̂ is what the last evaluation expected: their mean by
 * its probabilities.
 *
 * @param tokens V, with rows of length 1
 */
record BuiltGaussian(
    GaussianSpec spec,
    Projection tokens,
    Projection in,
    Projection expected,
    Projection level,
    LearnedSchedule schedule) {

  private static final String NAME = "gaussian";

  /** What keeps a vector without a length from being divided by 0. */
  private static final double LEAST_LENGTH = 1e-8;

  /** What the architecture's diffusion has; null if its noise is another. */
  static BuiltGaussian of(Architecture architecture, WeightScope root) {
    Diffusion diffusion = architecture.diffusion();
    GaussianSpec spec = diffusion == null ? null : diffusion.gaussian();
    if (spec == null) {
      return null;
    }
    boolean plain =
        architecture.embedding().equals(Embedding.PLAIN)
            && architecture.visibility() == Visibility.BIDIRECTIONAL
            && architecture.ends().equals(Wiring.PLAIN.reads())
            && !architecture.head().tied();
    if (!plain) {
      throw new ConfigException(
          "diffusion: gaussian noise is in vectors that become rows in its own way; needed: a plain"
              + " embedding, visibility=bidirectional, no ends, and a head that is not tied");
    }
    int width = architecture.width();
    int vocabulary = architecture.vocabulary();
    float[] vectors = root.table("embedding", vocabulary, spec.width(), new Typical(0, 1));
    for (int at = 0; at < vectors.length; at += spec.width()) {
      normalize(vectors, at, at + spec.width());
    }
    WeightScope own = root.scope(NAME);
    return new BuiltGaussian(
        spec,
        root.computed(vectors, vocabulary, spec.width()),
        own.projection("in", width, spec.width()),
        own.projection("expected", width, spec.width()),
        own.projection("level", width, spec.frequencies()),
        LearnedSchedule.of(spec, own.scope("schedule")));
  }

  private static void normalize(float[] values, int from, int to) {
    double squares = 0;
    for (int i = from; i < to; i++) {
      squares += (double) values[i] * values[i];
    }
    double length = Math.sqrt(squares) + LEAST_LENGTH;
    for (int i = from; i < to; i++) {
      values[i] = (float) (values[i] / length);
    }
  }

  private static double sigmoid(double x) {
    return 1 / (1 + StrictMath.exp(-x));
  }

  /**
   * Writes the rows of noisy vectors.
   *
   * @param means what was expected of each; null for 0
   */
  void embed(Pass pass, Batch<?> batch, Matrix vectors, Matrix means, Matrix x) {
    var activations = pass.kernels().activations();
    try (Pass.Frame frame = pass.frame()) {
      Matrix scaled = frame.matrix(x.rows(), spec.width());
      for (Run<?> run : batch.runs()) {
        double gamma = run.level();
        double variance = sigmoid(-gamma) / spec.width() + sigmoid(gamma);
        scale(vectors, run, (float) Math.sqrt(variance), true, scaled, 0);
      }
      in.apply(pass, scaled, x);
      if (means != null) {
        Matrix signal = frame.matrix(x.rows(), x.cols());
        for (Run<?> run : batch.runs()) {
          scale(means, run, (float) Math.sqrt(spec.width()), false, scaled, 0);
        }
        expected.apply(pass, scaled, signal);
        activations.addScaled(1, signal.data(), 0, x.data(), 0, x.at(x.rows()));
      }
      Matrix told = frame.matrix(batch.runs().size(), x.cols());
      level.apply(pass, waves(frame, batch), told);
      for (int i = 0; i < batch.runs().size(); i++) {
        Run<?> run = batch.runs().get(i);
        for (int row = run.from(); row < run.to(); row++) {
          activations.addScaled(1, told.data(), told.at(i), x.data(), x.at(row), x.cols());
        }
      }
    }
  }

  private Matrix waves(Pass.Frame frame, Batch<?> batch) {
    Matrix waves = frame.matrix(batch.runs().size(), spec.frequencies());
    int half = spec.frequencies() / 2;
    for (int run = 0; run < waves.rows(); run++) {
      double gamma = batch.runs().get(run).level();
      for (int i = 0; i < half; i++) {
        double exponent = spec.range() * (2.0 * i / (half - 1) - 1);
        double angle = gamma * StrictMath.exp(exponent);
        waves.data()[waves.at(run) + i] = (float) StrictMath.sin(angle);
        waves.data()[waves.at(run) + half + i] = (float) StrictMath.cos(angle);
      }
    }
    return waves;
  }

  /** Copies the rows of a run times a factor, or divided by it. */
  private static void scale(
      Matrix from, Run<?> run, float factor, boolean divides, Matrix to, int column) {
    for (int row = run.from(); row < run.to(); row++) {
      for (int i = 0; i < from.cols(); i++) {
        float value = from.data()[from.at(row) + i];
        to.data()[to.at(row) + column + i] = divides ? value / factor : value * factor;
      }
    }
  }

  /** Writes what {@link #predict} reads: a row that was normalised, and its vector. */
  void join(Batch<?> batch, Matrix vectors, Matrix x, Matrix rows) {
    for (Run<?> run : batch.runs()) {
      double gamma = run.level();
      float factor = (float) (Math.sqrt(sigmoid(-gamma)) / sigmoid(gamma));
      scale(x, run, 1, false, rows, 0);
      scale(vectors, run, factor, false, rows, x.cols());
    }
  }

  void predict(Pass pass, BuiltHead head, Matrix rows, Matrix logits) {
    int width = rows.cols() - spec.width();
    try (Pass.Frame frame = pass.frame()) {
      Matrix x = frame.matrix(rows.rows(), width);
      Matrix vectors = frame.matrix(rows.rows(), spec.width());
      for (int row = 0; row < rows.rows(); row++) {
        System.arraycopy(rows.data(), rows.at(row), x.data(), x.at(row), width);
        System.arraycopy(
            rows.data(), rows.at(row) + width, vectors.data(), vectors.at(row), vectors.cols());
      }
      Matrix similar = frame.matrix(rows.rows(), logits.cols());
      head.apply(pass, x, logits);
      tokens.apply(pass, vectors, similar);
      pass.kernels()
          .activations()
          .addScaled(1, similar.data(), 0, logits.data(), 0, logits.at(logits.rows()));
    }
  }
}
