package dev.apus.attention.linear;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Keys that are a softmax over the tokens so far, each key by itself, so that its row of the memory
 * is a weighed mean of the values:
 *
 * <pre>
 *   z_t = ln Σ_{s ≤ t} e^κ_s      α_t = e^(z_{t−1} − z_t)      k_t = e^(κ_t − z_t) = 1 − α_t
 * </pre>
 *
 * <p>A sequence remembers the greatest logit m and {@code n = Σ e^(κ_s − m)}; z itself, of which
 * differences are taken, would lose digits with every token.
 *
 * @see <a href="https://arxiv.org/abs/2405.21022">You Only Scan Once (LightNet)</a>
 * @see <a href="https://arxiv.org/abs/2110.02488">ABC: Attention with Bounded-memory Control</a>
 */
record RunningSoftmax(Heads heads, float least, float most) implements Forgetting {

  /**
   * @param least what lower logits are taken for
   * @param most what higher logits are taken for
   */
  record Spec(float least, float most) implements Forgetting.Spec {

    static Spec read(Config c) {
      float least = c.real("least", -Float.MAX_VALUE);
      float most = c.real("most", Float.MAX_VALUE);
      if (!(least <= most)) {
        throw c.errorAt("least", "least=%s must not be above most=%s", least, most);
      }
      return new Spec(least, most);
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
      return new RunningSoftmax(heads, least, most);
    }
  }

  @Override
  public int cols() {
    return heads.kvHeads() * heads.keyDim();
  }

  @Override
  public List<Region> regions() {
    return List.of(new Region(heads.kvHeads(), 2L * heads.keyDim()));
  }

  @Override
  public void finish(
      Pass pass, Batch<RecurrentState> batch, int region, Matrix keys, Matrix decays) {
    batch.eachPart(
        pass,
        heads.kvHeads(),
        (run, head, worker) -> {
          RecurrentState state = run.state();
          state.keep(region, head);
          int dim = heads.keyDim();
          long bytes = 2L * dim * Float.BYTES;
          float[] sums = pass.scratch(worker, 2 * dim);
          MemorySegment there = state.segment().asSlice(state.at(region, head), bytes);
          MemorySegment here = MemorySegment.ofArray(sums).asSlice(0, bytes);
          here.copyFrom(there);
          for (int row = run.from(); row < run.to(); row++) {
            int kAt = keys.at(row) + head * dim;
            int at = decays.at(row) + head * dim;
            advance(pass, sums, keys.data(), kAt, decays.data(), at);
          }
          there.copyFrom(here);
        });
  }

  /**
   * Takes a head's keys past one token.
   *
   * @param sums the greatest logit of each key, then the sum of each; a sum of 0 says that there
   *     was no token yet
   */
  private void advance(Pass pass, float[] sums, float[] k, int kAt, float[] alpha, int at) {
    int dim = heads.keyDim();
    for (int i = 0; i < dim; i++) {
      float logit = Math.min(Math.max(k[kAt + i], least), most);
      float old = sums[dim + i] == 0 ? logit : sums[i];
      float greatest = Math.max(old, logit);
      sums[i] = greatest;
      alpha[at + i] = old - greatest;
      k[kAt + i] = logit - greatest;
    }
    pass.kernels().activations().apply(Activation.EXP, alpha, at, dim);
    pass.kernels().activations().apply(Activation.EXP, k, kAt, dim);
    for (int i = 0; i < dim; i++) {
      float kept = sums[dim + i] * alpha[at + i];
      float sum = kept + k[kAt + i];
      sums[dim + i] = sum;
      alpha[at + i] = kept / sum;
      k[kAt + i] /= sum;
    }
  }

  @Override
  public Rows rows(Matrix decays, Run<?> run, int head) {
    return decays.from(run.from(), heads.kvHead(head) * heads.keyDim());
  }
}
