package dev.apus.kernels.scan;

import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;

/**
 * The selective scan of Mamba (S6): every channel remembers a few values, which decay as its step
 * size and their own rates say.
 *
 * <pre>
 *   h[n][c] ← exp(Δ[c] · A[n][c]) · h[n][c] + (Δ[c] · x[c]) · B[n]
 *   y[c] = D[c] · x[c] + Σ_n C[n] · h[n][c]
 * </pre>
 *
 * <p>Without rates, it is the implicit rule of Longhorn, whose decay is that of the best answer to
 * the token: {@code 1 − Δ[c] · B[n]²} instead of {@code exp(Δ[c] · A[n][c])}.
 *
 * <p>Each line is what is computed: a product for Δ · A and one for Δ · x, one for the latter with
 * B, to which the decayed value is added by a fused multiply-add; a sum that starts at D · x and
 * takes one fused multiply-add a value, first value first. The implicit decay is one fused
 * multiply-add of {@code B²}. There is one form, for any number of tokens, so that a sequence may
 * be cut anywhere.
 *
 * <p>For A ≤ 0, or {@code Δ · B²} from 0 to 1, a step makes no error larger. After T tokens a value
 * is within {@code 5 T · 2⁻²⁴ · r} of the exact result, where r is the greatest size that it or
 * what it was given, {@code Δ · x · B}, ever had.
 *
 * @see <a href="https://arxiv.org/abs/2312.00752">Mamba</a>
 * @see <a href="https://arxiv.org/abs/2407.14207">Longhorn</a>
 */
public interface SelectiveScan {

  /**
   * Channels that are taken together, and how many values each remembers. What they remember and
   * their rates should stay in the first cache while the tokens go by.
   */
  record Shape(int stateSize, int channels) {}

  /**
   * Takes the channels of a shape through {@code tokens} tokens.
   *
   * @param a the rates, {@code [stateSize][channels]} from {@code aAt}; or null for the implicit
   *     rule
   * @param d the direct way, {@code [channels]} from {@code dAt}; or null where there is none
   * @param x {@code channels} values a token; likewise {@code delta}, the step sizes, which are not
   *     negative
   * @param b {@code stateSize} values a token, for all channels; likewise {@code c}
   * @param state native; {@code [stateSize][channels]} floats from byte {@code stateAt}; zero
   *     before the first token
   * @param y receives {@code channels} values a token; may be {@code x} or {@code delta}
   */
  void advance(
      Shape shape,
      int tokens,
      float[] a,
      int aAt,
      float[] d,
      int dAt,
      Rows x,
      Rows delta,
      Rows b,
      Rows c,
      MemorySegment state,
      long stateAt,
      Rows y);
}
