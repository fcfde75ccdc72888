package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.List;

/**
 * Gates by which heads forget what the token says, each head as a whole or each of its keys or
 * values: {@code α = σ(W_α x + b)^(1/root)}. What is written may be multiplied by the rest, {@code
 * 1 − α}, so that the memory is a running mean, as in Random Feature Attention.
 *
 * @param gate to the gates' logits
 * @param count gates of a head
 * @see <a href="https://arxiv.org/abs/2312.06635">Gated Linear Attention</a>
 * @see <a href="https://arxiv.org/abs/2103.02143">Random Feature Attention</a>
 */
record ForgetGates(
    Heads heads, Decay decay, LowRank gate, SigmoidRoot function, int count, boolean rest)
    implements Forgetting {

  /**
   * @param decay what has a gate of its own
   * @param latent values that gates come out of; 0 for those of the row itself
   * @param rest whether a head's keys are multiplied by what its gate leaves
   */
  record Spec(Decay decay, int latent, boolean biased, SigmoidRoot function, boolean rest)
      implements Forgetting.Spec {

    static Spec read(Config c) {
      Decay decay =
          switch (c.choice("gate", null, "head", "key", "value")) {
            case "head" -> Decay.SCALAR;
            case "key" -> Decay.PER_KEY;
            default -> Decay.PER_VALUE;
          };
      return new Spec(
          decay,
          c.count("latent", 0),
          c.flag("biased", false),
          SigmoidRoot.read(c),
          decay == Decay.SCALAR && c.flag("rest", false));
    }

    @Override
    public Forgetting build(Heads heads, WeightScope weights, int width) {
      int count =
          switch (decay) {
            case PER_KEY -> heads.keyDim();
            case PER_VALUE -> heads.valueDim();
            default -> 1;
          };
      int all = count * (decay == Decay.SCALAR ? heads.heads() : heads.kvHeads());
      LowRank gate = LowRank.read(weights, "decay", all, width, latent, biased);
      return new ForgetGates(heads, decay, gate, function, count, rest);
    }
  }

  @Override
  public int cols() {
    return gate.up().outputs();
  }

  @Override
  public void add(
      Pass pass,
      Pass.Frame frame,
      Matrix x,
      Matrix decays,
      List<Divisible> first,
      List<LowRank.Rest> second) {
    LowRank.add(gate, pass, frame, x, decays, first, second);
  }

  @Override
  public void finish(
      Pass pass, Batch<RecurrentState> batch, int region, Matrix keys, Matrix decays) {
    pass.eachRow(
        decays.rows(),
        32 * decays.cols(),
        (from, to, worker) -> {
          int at = decays.at(from);
          function.apply(pass.kernels().activations(), decays.data(), at, decays.at(to) - at);
        });
    if (rest) {
      pass.eachRow(
          keys.rows(), keys.cols(), (from, to, worker) -> multiply(keys, decays, from, to));
    }
  }

  private void multiply(Matrix keys, Matrix decays, int from, int to) {
    int size = heads.keyDim();
    for (int head = from * heads.heads(); head < to * heads.heads(); head++) {
      float left = 1 - decays.data()[head];
      for (int i = head * size; i < (head + 1) * size; i++) {
        keys.data()[i] *= left;
      }
    }
  }

  @Override
  public Rows rows(Matrix decays, Run<?> run, int head) {
    int group = decay == Decay.SCALAR ? head : heads.kvHead(head);
    return decays.from(run.from(), group * count);
  }
}
