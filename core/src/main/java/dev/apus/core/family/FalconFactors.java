package dev.apus.core.family;

import dev.apus.core.config.Config;
import java.util.Collections;
import java.util.List;

/**
 * The factors in Falcon-H1's layers.
 *
 * @param attentionIn on what attention reads; likewise {@code mambaIn}
 * @param key on attention's keys
 * @param attentionOut on what attention gives; likewise {@code mambaOut}
 * @param mamba on z, x, B, C and dt of Mamba-2
 * @param gate on the gates of the block
 * @param down on what the block gives
 */
record FalconFactors(
    double attentionIn,
    double mambaIn,
    double key,
    double attentionOut,
    double mambaOut,
    List<Double> mamba,
    double gate,
    double down) {

  static FalconFactors read(Config c) {
    List<Double> mlp = list(c, "mlp_multipliers", 2);
    return new FalconFactors(
        divisor(c, "attention_in_multiplier", c.number("attention_in_multiplier", 1)),
        c.number("ssm_in_multiplier", 1),
        c.number("key_multiplier", 1),
        c.number("attention_out_multiplier", 1),
        c.number("ssm_out_multiplier", 1),
        list(c, "ssm_multipliers", 5),
        divisor(c, "mlp_multipliers", mlp.get(0)),
        mlp.get(1));
  }

  private static List<Double> list(Config c, String key, int count) {
    List<Double> factors = c.has(key) ? c.numbers(key) : Collections.nCopies(count, 1.0);
    if (factors.size() != count) {
      throw c.errorAt(key, "%s=%s must be %d numbers", key, factors, count);
    }
    return factors;
  }

  /** A factor that is taken away again elsewhere. */
  private static double divisor(Config c, String key, double factor) {
    if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
      throw c.errorAt(key, "%s: a factor of %s is not supported; it must be above 0", key, factor);
    }
    return factor;
  }

  /** What is left to multiply z, x, B, C and dt with, once attention's factor is in the norm. */
  List<Double> mambaScales() {
    return mamba.stream().map(factor -> mambaIn / attentionIn * factor).toList();
  }
}
