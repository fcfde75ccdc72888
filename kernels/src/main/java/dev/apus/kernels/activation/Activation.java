package dev.apus.kernels.activation;

/** A function applied to each value of a row. */
public enum Activation {
  IDENTITY,
  /** {@code x · sigmoid(x)}, as {@code x / (1 + e⁻ˣ)}. */
  SILU,
  /** {@code x · Φ(x)} by the error function. */
  GELU,
  /**
   * {@code x · Φ(x)} by the tanh formula, {@code x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))};
   * {@code (1 + tanh u) / 2} is computed as {@code 1 / (1 + e⁻²ᵘ)}, which it equals.
   */
  GELU_TANH,
  /** {@code x · sigmoid(1.702 x)}. */
  QUICK_GELU,
  RELU,
  /** {@code max(x, 0)²}. */
  RELU_SQUARED,
  SIGMOID,
  TANH,
  /** {@code eˣ}: the decay factors of recurrences. */
  EXP,
  /** {@code ln(1 + eˣ)}, finite for every finite x. */
  SOFTPLUS
}
