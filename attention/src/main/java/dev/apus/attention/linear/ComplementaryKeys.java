package dev.apus.attention.linear;

import dev.apus.attention.recurrent.LowerBounds;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;

/**
 * Keys that are what a gate of their own forgets:
 *
 * <pre>
 *   α = l + (1 − l) ⊙ σ(κ)^(1/root)      k = 1 − α          l the layer's lower bounds, or 0
 * </pre>
 *
 * @param bounds for each key of a row, or null
 * @see <a href="https://arxiv.org/abs/2404.07904">HGRN2</a>
 */
record ComplementaryKeys(Heads heads, SigmoidRoot function, float[] bounds) implements Forgetting {

  /**
   * The gate, whose logits are what keys are otherwise.
   *
   * @param bounds null if gates may be 0
   */
  record Spec(SigmoidRoot function, LowerBounds bounds) implements Forgetting.Spec {

    static Spec read(Config c) {
      return new Spec(SigmoidRoot.read(c), LowerBounds.read(c));
    }

    @Override
    public Decay decay() {
      return Decay.PER_KEY;
    }

    @Override
    public boolean makesKeys() {
      return true;
    }

    @Override
    public Forgetting build(Heads heads, WeightScope weights, int width) {
      int keys = heads.kvHeads() * heads.keyDim();
      return new ComplementaryKeys(
          heads, function, bounds == null ? null : bounds.of(weights, keys));
    }
  }

  @Override
  public int cols() {
    return heads.kvHeads() * heads.keyDim();
  }

  @Override
  public void finish(
      Pass pass, Batch<RecurrentState> batch, int region, Matrix keys, Matrix decays) {
    pass.eachRow(
        decays.rows(),
        32 * decays.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            finish(pass, keys.data(), keys.at(row), decays.data(), decays.at(row));
          }
        });
  }

  private void finish(Pass pass, float[] k, int kAt, float[] alpha, int at) {
    int cols = cols();
    function.apply(pass.kernels().activations(), k, kAt, cols);
    for (int i = 0; i < cols; i++) {
      float kept = k[kAt + i];
      if (bounds != null) {
        kept = Math.fma(1 - bounds[i], kept, bounds[i]);
      }
      alpha[at + i] = kept;
      k[kAt + i] = 1 - kept;
    }
  }

  @Override
  public Rows rows(Matrix decays, Run<?> run, int head) {
    return decays.from(run.from(), heads.kvHead(head) * heads.keyDim());
  }
}
