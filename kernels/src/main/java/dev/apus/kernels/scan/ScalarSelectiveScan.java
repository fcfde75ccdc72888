package dev.apus.kernels.scan;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.kernels.math.ScalarMath;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;

/** The definition of {@link SelectiveScan}. */
public final class ScalarSelectiveScan implements SelectiveScan {

  public ScalarSelectiveScan() {}

  @Override
  public void advance(
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
      Rows y) {
    advance(shape, 0, tokens, a, aAt, d, dAt, x, delta, b, c, state, stateAt, y);
  }

  /** Takes the channels from {@code from} on through the tokens. */
  static void advance(
      Shape shape,
      int from,
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
      Rows y) {
    int channels = shape.channels();
    for (int t = 0; t < tokens; t++) {
      for (int i = from; i < channels; i++) {
        float step = delta.value(t, i);
        float in = x.value(t, i);
        float write = step * in;
        float sum = d == null ? 0 : d[dAt + i] * in;
        for (int n = 0; n < shape.stateSize(); n++) {
          long at = stateAt + 4L * (n * channels + i);
          float written = b.value(t, n);
          float decay =
              a == null
                  ? Math.fma(-step, written * written, 1)
                  : ScalarMath.exp(step * a[aAt + n * channels + i]);
          float h = state.get(JAVA_FLOAT_UNALIGNED, at);
          h = Math.fma(decay, h, write * written);
          state.set(JAVA_FLOAT_UNALIGNED, at, h);
          sum = Math.fma(c.value(t, n), h, sum);
        }
        y.data()[y.start(t) + i] = sum;
      }
    }
  }
}
