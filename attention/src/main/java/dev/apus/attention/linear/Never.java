package dev.apus.attention.linear;

import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.Arrays;

/** Forgets nothing. */
record Never() implements Forgetting {

  /** There is nothing to set. */
  record Spec() implements Forgetting.Spec {

    @Override
    public Decay decay() {
      return Decay.NONE;
    }

    @Override
    public float[] factors(int heads) {
      float[] factors = new float[heads];
      Arrays.fill(factors, 1);
      return factors;
    }

    @Override
    public Forgetting build(Heads heads, WeightScope weights, int width) {
      return new Never();
    }
  }

  @Override
  public Rows rows(Matrix decays, Run<?> run, int head) {
    return null;
  }
}
