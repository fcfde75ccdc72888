package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;

/**
 * What stands for the noise level of a text:
 *
 * <pre>
 *   w = [cos(σ f₀), …, cos(σ fₙ₋₁), sin(σ f₀), …, sin(σ fₙ₋₁)]        fᵢ = 10000^(−i/n)
 *   c = silu(D silu(U w + u) + d)
 * </pre>
 *
 * <p>One row for each run, because a run is of one text. Branches make their {@link Modulation} of
 * it.
 *
 * @see <a href="https://arxiv.org/abs/2212.09748">Scalable Diffusion Models with Transformers</a>
 */
final class LevelEmbedding {

  private static final double LONGEST = 10_000;

  private final LevelSpec spec;
  private final Projection up;
  private final Projection down;

  private LevelEmbedding(LevelSpec spec, Projection up, Projection down) {
    this.spec = spec;
    this.up = up;
    this.down = down;
  }

  /**
   * @param diffusion null, or without modulation, for a model that is told nothing, which gives
   *     null
   */
  static LevelEmbedding of(Diffusion diffusion, WeightScope root) {
    LevelSpec spec = diffusion == null ? null : diffusion.modulation();
    if (spec == null) {
      return null;
    }
    return new LevelEmbedding(
        spec,
        root.projection("level.up", spec.width(), spec.frequencies(), true),
        root.projection("level.down", spec.width(), spec.width(), true));
  }

  int width() {
    return spec.width();
  }

  /** A row for each run, the same for all who ask during a pass. */
  Matrix rows(Pass pass, Batch<?> batch) {
    return pass.once(this, () -> make(pass, batch));
  }

  private Matrix make(Pass pass, Batch<?> batch) {
    int runs = batch.runs().size();
    Matrix waves = Matrix.zeros(runs, spec.frequencies());
    int half = spec.frequencies() / 2;
    for (int run = 0; run < runs; run++) {
      double level = spec.told() ? batch.runs().get(run).level() : 0;
      for (int i = 0; i < half; i++) {
        double angle = level * StrictMath.pow(LONGEST, -(double) i / half);
        waves.data()[waves.at(run) + i] = (float) StrictMath.cos(angle);
        waves.data()[waves.at(run) + half + i] = (float) StrictMath.sin(angle);
      }
    }
    Matrix inner = silu(pass, up, waves);
    return silu(pass, down, inner);
  }

  private Matrix silu(Pass pass, Projection matrix, Matrix x) {
    Matrix y = Matrix.zeros(x.rows(), spec.width());
    matrix.apply(pass, x, y);
    pass.kernels().activations().apply(Activation.SILU, y.data(), 0, y.at(y.rows()));
    return y;
  }
}
