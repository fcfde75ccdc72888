package dev.apus.kernels.scan;

import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;

/**
 * A running average of each channel's values by exponential weights that fade, in which the newest
 * value has a weight of its own: the recurrence of RWKV-4.
 *
 * <pre>
 *   o[t] = (a + e^(k[t] + u) v[t]) / (b + e^(k[t] + u))
 *   a ← e^w a + e^k[t] v[t]        b ← e^w b + e^k[t]        w, u constant for each channel
 * </pre>
 *
 * <p>Keys have no bounds, so {@code a} and {@code b} are kept as multiples of {@code e^p}, with p
 * the greatest logarithm of a weight so far. Of two exponents p and q, the greater takes the factor
 * 1 and the other {@code e^−|p − q|}, one exponential for each of the two lines; {@code b} is at
 * least 1 from the first token on, and 0 says that there was none.
 *
 * <p>A token's step is the same, bit for bit, whether it is taken alone or among others.
 */
public interface AverageScan {

  /** What p is before the first token: no weight is smaller. */
  float NOTHING = -1e38f;

  /** Floats that a channel remembers: a, b and p. */
  int STATE = 3;

  /**
   * Takes channels {@code [from, to)} through {@code tokens} rows and leaves their memory after the
   * last. It touches nothing of the other channels.
   *
   * @param channels how many there are
   * @param w logarithms of what is kept of the weights at each token, at most 0; {@code channels}
   *     values
   * @param u what the newest key is raised by; {@code channels} values
   * @param k a key for each channel; likewise values {@code v}
   * @param o receives a token's averages; other memory than {@code k} and {@code v}
   * @param state all channels' a, then their b, then their p, from byte {@code stateAt}; zero
   *     before the first token
   */
  void scan(
      int from,
      int to,
      int channels,
      int tokens,
      float[] w,
      float[] u,
      Rows k,
      Rows v,
      Rows o,
      MemorySegment state,
      long stateAt);
}
