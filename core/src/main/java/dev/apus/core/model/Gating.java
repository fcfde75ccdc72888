package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.kernels.activation.Activation;

/**
 * How a gated block joins what its two matrices give: {@code f(min(gate, limit)) · (clamp(up,
 * ±limit) + shift)}.
 *
 * @param activation f
 * @param limit of what the matrices give; infinite for none
 * @param shift is added to what is gated
 */
public record Gating(Activation activation, float limit, float shift) {

  /** {@code f(gate) · up}. */
  public Gating(Activation activation) {
    this(activation, Float.POSITIVE_INFINITY, 0);
  }

  /** The settings {@code activation}, {@code limit} and {@code shift}. */
  public static Gating read(Config c) {
    float limit = c.has("limit") ? c.real("limit") : Float.POSITIVE_INFINITY;
    if (!(limit > 0)) {
      throw c.errorAt("limit", "limit=%s must be above 0", limit);
    }
    return new Gating(Mlp.activation(c), limit, c.real("shift", 0));
  }

  /** {@code y ← gated y}; the gates are overwritten. */
  void apply(Pass pass, float[] gates, int gatesAt, float[] y, int at, int count) {
    if (limit != Float.POSITIVE_INFINITY) {
      for (int i = 0; i < count; i++) {
        gates[gatesAt + i] = Math.min(gates[gatesAt + i], limit);
        y[at + i] = Math.max(-limit, Math.min(y[at + i], limit));
      }
    }
    if (shift != 0) {
      for (int i = at; i < at + count; i++) {
        y[i] += shift;
      }
    }
    pass.kernels().activations().gate(activation, gates, gatesAt, y, at, count);
  }
}
