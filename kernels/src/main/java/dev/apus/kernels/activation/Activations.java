package dev.apus.kernels.activation;

/**
 * Elementwise functions of rows, and softmax. Each writes only the {@code count} values it names.
 */
public interface Activations {

  /** {@code x ← f(x)}. */
  void apply(Activation f, float[] x, int xAt, int count);

  /** {@code y ← f(gate) · y}, the gate of a gated MLP. */
  void gate(Activation f, float[] gate, int gateAt, float[] y, int yAt, int count);

  /** {@code x ← e^(x − max x) / Σ e^(x − max x)}; a row whose values are all −∞ becomes all 0. */
  void softmax(float[] x, int xAt, int count);

  /** {@code x ← limit · tanh(x / limit)}. */
  void softcap(float limit, float[] x, int xAt, int count);

  /** {@code y ← y + scale · x}. */
  void addScaled(float scale, float[] x, int xAt, float[] y, int yAt, int count);
}
