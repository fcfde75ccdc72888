package dev.apus.ssm.structured;

/** How a continuous system becomes a recurrence over tokens that are a step Δ apart. */
enum Discretization {
  /** The input is constant between tokens: {@code λ̄ = e^(Δλ)}, {@code b̄ = b (e^(Δλ) − 1) / λ}. */
  ZOH,
  /** {@code λ̄ = (1 + Δλ/2) / (1 − Δλ/2)}, {@code b̄ = b Δ / (1 − Δλ/2)}. */
  BILINEAR,
  /**
   * DSS: as {@link #ZOH}, and a state's answer to one input adds up to 1 / λ over the length L that
   * the model was made for: {@code b̄ = b (e^(Δλ) − 1) / (λ (e^(LΔλ) − 1))}.
   */
  SOFTMAX;

  Complex decay(Complex lambda, double step) {
    Complex z = lambda.times(step);
    return this == BILINEAR ? z.times(0.5).plus(1).over(z.times(-0.5).plus(1)) : z.exp();
  }

  /** By what an input is multiplied before a state takes it up, b apart. */
  Complex gain(Complex lambda, double step, int length) {
    Complex z = lambda.times(step);
    return switch (this) {
      case ZOH -> z.expm1().over(lambda);
      case BILINEAR -> new Complex(step, 0).over(z.times(-0.5).plus(1));
      case SOFTMAX -> z.expm1().over(lambda.times(z.times(length).expm1()));
    };
  }
}
