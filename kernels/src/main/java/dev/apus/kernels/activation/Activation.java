package dev.apus.kernels.activation;

/** A function applied to each value of a row. */
public enum Activation {
  IDENTITY,
  /** {@code x · sigmoid(x)}. */
  SILU,
  /** {@code x · Φ(x)} by the error function. */
  GELU,
  /** {@code x · Φ(x)} by the tanh formula. */
  GELU_TANH,
  /** {@code x · sigmoid(1.702 x)}. */
  QUICK_GELU,
  RELU,
  /** {@code max(x, 0)²}. */
  RELU_SQUARED,
  SIGMOID,
  TANH,
  /** {@code ln(1 + eˣ)}, finite for every finite x. */
  SOFTPLUS
}
