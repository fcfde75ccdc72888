package dev.apus.kernels.activation;

/**
 * Elementwise functions of rows, and softmax. Each writes only the {@code count} values it names.
 *
 * <p>All of them rest on one exponential with a relative error below 9e-8, which is 0 where the
 * true value is below the normal floats. NaN gives NaN. The functions that multiply x by a factor
 * which fades to 0 have no value at −∞ and give NaN there, as {@code −∞ · 0} does.
 */
public interface Activations {

  /** {@code x ← f(x)}. */
  void apply(Activation f, float[] x, int xAt, int count);

  /** {@code y ← f(gate) · y}, the gate of a gated MLP. */
  void gate(Activation f, float[] gate, int gateAt, float[] y, int yAt, int count);

  /**
   * {@code y ← f′(x) · y}, which takes gradients back through {@code f}.
   *
   * <p>With {@code f = x · s} and {@code s = 1 / (1 + e^a)}, it is {@code f′ = s · (1 − x (1 − s)
   * a′)}.
   *
   * @throws IllegalArgumentException if {@code f} is neither {@code SILU} nor {@code GELU_TANH}
   */
  void slope(Activation f, float[] x, int xAt, float[] y, int yAt, int count);

  /**
   * {@code x ← e^(x − max x) / Σ e^(x − max x)}; a row whose values are all −∞ becomes all 0.
   *
   * <p>The sum keeps sixteen partial sums (value {@code i} goes to number {@code i mod 16}) and
   * adds them as a tree; the row is then multiplied by one over it.
   */
  void softmax(float[] x, int xAt, int count);

  /** {@code x ← limit · tanh(x / limit)}. */
  void softcap(float limit, float[] x, int xAt, int count);

  /**
   * {@code Σ x · y}, each term added by a fused multiply-add to one of sixteen partial sums, as
   * {@link #softmax} has them.
   */
  float dot(float[] x, int xAt, float[] y, int yAt, int count);

  /** {@code y ← y + scale · x}, one fused multiply-add a value. */
  void addScaled(float scale, float[] x, int xAt, float[] y, int yAt, int count);
}
