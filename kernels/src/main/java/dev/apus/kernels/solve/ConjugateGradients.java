package dev.apus.kernels.solve;

import java.lang.foreign.MemorySegment;

/**
 * Solves {@code (H + diag(λ)) x = b} for a symmetric memory H without negative eigenvalues and a
 * ridge λ above 0, by so many steps of conjugate gradients:
 *
 * <pre>
 *   x = 0      r = p = b      δ = r · r
 *   a = H p + λ ⊙ p      α = δ / (p · a + ε)
 *   x ← x + α p          r ← r − α a
 *   p ← r + (r · r / (δ + ε)) p      δ ← r · r                  and again from a
 * </pre>
 *
 * <p>The constant ε keeps what has converged from being divided by zero. It also ends convergence:
 * steps shrink as δ falls below it, and r stays at a length of about √ε.
 *
 * <p>Value {@code j} of {@code H p} is a chain of fused multiply-adds down column {@code j}, first
 * row first, and the ridge's part comes last. The two sums keep sixteen partial sums (value {@code
 * i} goes to number {@code i mod 16}) and add them as a tree. Steps after which δ is 0 would change
 * nothing, and are left out.
 *
 * @see <a href="https://arxiv.org/abs/2506.05233">MesaNet</a>
 */
public interface ConjugateGradients {

  /** What both divisors are kept above. */
  float EPSILON = 1e-5f;

  /**
   * Writes x.
   *
   * @param size rows and columns of H
   * @param h native; row-major {@code size × size} floats from byte {@code hAt}
   * @param scratch at least {@link #scratchFloats} floats that no other thread uses
   */
  void solve(
      int size,
      int steps,
      MemorySegment h,
      long hAt,
      float[] ridge,
      int ridgeAt,
      float[] b,
      int bAt,
      float[] x,
      int xAt,
      float[] scratch);

  /** Room for r, p and a. */
  default int scratchFloats(int size) {
    return 3 * size;
  }
}
