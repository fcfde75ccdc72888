package dev.apus.attention.recurrent;

import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import dev.apus.kernels.activation.Activation;
import java.util.Locale;

/**
 * The settings of a gated recurrence.
 *
 * @param inner how many channels recur
 * @param gates which gates are learned
 * @param bounds the least that the forget gate keeps, or null for 0
 * @param candidate the function of what is remembered
 * @param taps length of the short convolutions after the projections; 0 for none
 * @param biased whether gates and candidates have biases
 * @param norm how the memory is normalised before it is read, or null
 * @param gate the function of the output gate, or null if there is none
 * @param projected whether there is a last projection; without one, {@code inner} values are given
 */
record GatedSpec(
    int inner,
    Gates gates,
    LowerBounds bounds,
    Candidate candidate,
    int taps,
    boolean biased,
    NormSpec norm,
    Activation gate,
    boolean projected) {

  /** Which gates are learned. */
  enum Gates {
    /** How much is kept: {@code f = σ(W_f x)}, {@code i = 1 − f}. */
    FORGET,
    /** How much is new: {@code i = σ(W_i x)}, {@code f = 1 − i}. */
    UPDATE,
    /** Both, shares of their sum: {@code f = σ(W_f x) / (σ(W_f x) + σ(W_i x))}. */
    BOTH
  }

  /** The function of what is remembered. */
  enum Candidate {
    IDENTITY,
    SILU,
    TANH,
    /** {@code x + ½} from 0 on, below {@code σ(x)}: always above 0, as in minimal GRUs. */
    POSITIVE
  }

  static GatedSpec read(Config c) {
    Gates gates = named(Gates.class, c.choice("gates", null, "forget", "update", "both"));
    LowerBounds bounds = LowerBounds.read(c);
    if (bounds != null && gates != Gates.FORGET) {
      throw c.errorAt(
          "bounds",
          "bounds are those of a forget gate, and gates=%s",
          gates.name().toLowerCase(Locale.ROOT));
    }
    int inner = c.positive("inner");
    int taps = c.count("taps", 0);
    if (3L * Math.max(1, taps) * inner > Integer.MAX_VALUE) {
      throw c.error("taps=%d of inner=%d are more than 2^31 − 1 values", taps, inner);
    }
    String gate = c.choice("gate", "none", "none", "silu", "sigmoid");
    return new GatedSpec(
        inner,
        gates,
        bounds,
        named(
            Candidate.class,
            c.choice("candidate", "identity", "identity", "silu", "tanh", "positive")),
        taps,
        c.flag("biased", false),
        c.has("norm") ? NormSpec.read(c.section("norm")) : null,
        gate.equals("none") ? null : named(Activation.class, gate),
        c.flag("projected", true));
  }

  private static <E extends Enum<E>> E named(Class<E> type, String name) {
    return Enum.valueOf(type, name.toUpperCase(Locale.ROOT));
  }

  /** Projections that are convolved: the candidates, and each gate. */
  int projections() {
    return gates == Gates.BOTH ? 3 : 2;
  }
}
