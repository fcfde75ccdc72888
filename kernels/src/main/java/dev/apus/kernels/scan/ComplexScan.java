package dev.apus.kernels.scan;

import java.lang.foreign.MemorySegment;

/**
 * Recurrences with constant complex diagonals: the time-invariant state spaces from S4 to S5, and
 * linear recurrent units.
 *
 * <p>A token's step is the same, bit for bit, whether it is taken alone or among others: the form
 * for many tokens keeps some states in registers for all of them and adds up in the same order. A
 * product of complex numbers is four roundings at most: {@code re = fma(a.re, b.re, fma(−a.im,
 * b.im, …))} and {@code im = fma(a.re, b.im, fma(a.im, b.re, …))}.
 */
public interface ComplexScan {

  /**
   * Recurs each state by itself:
   *
   * <pre>
   *   h[i] ← λ[i] · h[i] + γ[i] · x[i]      x[i] ← h[i]
   * </pre>
   *
   * <p>All numbers are complex: {@code i}'s real part is at {@code i}, its imaginary part at {@code
   * states + i}. It touches nothing of the states outside {@code [from, to)}.
   *
   * @param state {@code 2 · states} floats from byte {@code stateAt}
   */
  void recur(
      float[] lambda,
      float[] gamma,
      int states,
      int from,
      int to,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long stateAt);

  /**
   * Answers each channel by a system of its own:
   *
   * <pre>
   *   h[n] ← λ[n] · h[n] + x                      or, if the systems are coupled,
   *   h[n] ← λ[n] · h[n] + b[n] · x + p[n] · f      f = Σₙ Re(w[n] · h[n]) before the step
   *   y = skip · x + Σₙ Re(c[n] · h[n])
   * </pre>
   *
   * <p>The sums begin with {@code skip · x} and 0 and take the states in order.
   *
   * @param from a multiple of {@link Systems#BLOCK}; likewise {@code to}, if it is not the end
   * @param skip {@code [channels]}
   * @param state {@link Systems#stateFloats} floats for each block of channels from byte {@code
   *     stateAt}
   * @param y other memory than {@code x}
   */
  void respond(
      Systems systems,
      float[] skip,
      int from,
      int to,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long stateAt,
      float[] y,
      int yAt,
      int yStride);
}
