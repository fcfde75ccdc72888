package dev.apus.attention.linear;

import dev.apus.core.config.Config;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;

/**
 * Heads that forget at constant rates, as in retention and lightning attention.
 *
 * @param factors what each head keeps at every token
 * @see <a href="https://arxiv.org/abs/2307.08621">Retentive Network</a>
 * @see <a href="https://arxiv.org/abs/2401.04658">Lightning Attention-2</a>
 */
record ConstantRates(float[] factors) implements Forgetting {

  /** How heads differ, counted from 0. */
  enum Rates {
    /** {@code λ = e^(−scale · 2^(−8 (head + 1) / heads))}, as in ALiBi. */
    LIGHTNING,
    /** {@code λ = (1 − 2^(−5 − head))^scale}. */
    RETENTION
  }

  /**
   * What each head forgets at every token.
   *
   * @param rates how heads differ
   * @param scale factor on the exponent
   */
  record Spec(Rates rates, float scale) implements Forgetting.Spec {

    static Spec read(Config c) {
      Rates rates =
          c.choice("rates", null, "lightning", "retention").equals("lightning")
              ? Rates.LIGHTNING
              : Rates.RETENTION;
      float scale = c.real("scale", 1);
      if (scale < 0) {
        throw c.errorAt("scale", "scale=%s must not be negative: memories would grow", scale);
      }
      return new Spec(rates, scale);
    }

    /** The factor of each head; rates are rounded to single precision, as models were trained. */
    @Override
    public float[] factors(int heads) {
      float[] factors = new float[heads];
      float base = (float) (1 / StrictMath.pow(2, 8.0 / heads));
      for (int head = 0; head < heads; head++) {
        float rate =
            switch (rates) {
              case LIGHTNING -> (float) StrictMath.pow(base, head + 1);
              case RETENTION -> (float) -StrictMath.log1p(-StrictMath.pow(2, -5 - head));
            };
        factors[head] = (float) StrictMath.exp(-(rate * scale));
      }
      return factors;
    }

    @Override
    public Decay decay() {
      return Decay.SCALAR;
    }

    @Override
    public Forgetting build(Heads heads, WeightScope weights, int width) {
      return new ConstantRates(factors(heads.heads()));
    }
  }

  @Override
  public Rows rows(Matrix decays, Run<?> run, int head) {
    return new Rows(factors, head, 0);
  }
}
