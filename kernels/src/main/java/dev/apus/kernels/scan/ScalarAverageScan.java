package dev.apus.kernels.scan;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.kernels.math.ScalarMath;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;

/** The definition of {@link AverageScan}. */
public final class ScalarAverageScan implements AverageScan {

  public ScalarAverageScan() {}

  @Override
  public void scan(
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
      long stateAt) {
    for (int c = from; c < to; c++) {
      long aAt = stateAt + 4L * c;
      long bAt = aAt + 4L * channels;
      long pAt = bAt + 4L * channels;
      float a = state.get(JAVA_FLOAT_UNALIGNED, aAt);
      float b = state.get(JAVA_FLOAT_UNALIGNED, bAt);
      float p = b == 0 ? NOTHING : state.get(JAVA_FLOAT_UNALIGNED, pAt);
      for (int t = 0; t < tokens; t++) {
        float key = k.value(t, c);
        float value = v.value(t, c);

        float ahead = p - (key + u[c]);
        float less = ScalarMath.exp(-Math.abs(ahead));
        float old = ahead >= 0 ? 1 : less;
        float now = ahead >= 0 ? less : 1;
        o.data()[o.start(t) + c] = Math.fma(old, a, now * value) / Math.fma(old, b, now);

        float faded = p + w[c];
        ahead = faded - key;
        less = ScalarMath.exp(-Math.abs(ahead));
        old = ahead >= 0 ? 1 : less;
        now = ahead >= 0 ? less : 1;
        a = Math.fma(old, a, now * value);
        b = Math.fma(old, b, now);
        p = ahead >= 0 ? faded : key;
      }
      state.set(JAVA_FLOAT_UNALIGNED, aAt, a);
      state.set(JAVA_FLOAT_UNALIGNED, bAt, b);
      state.set(JAVA_FLOAT_UNALIGNED, pAt, p);
    }
  }
}
