package dev.apus.kernels.conv;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link ShortConvolution} with channels in lanes. */
public final class VectorShortConvolution implements ShortConvolution {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Channels taken through all tokens at a time, so that their state and weights stay in L1. */
  private static final int BLOCK = 512;

  public VectorShortConvolution() {}

  @Override
  public void convolve(
      float[] weight,
      float[] bias,
      int taps,
      int channels,
      int from,
      int to,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      MemorySegment state,
      long stateAt,
      float[] y,
      int yAt,
      int yStride) {
    int whole = from + LANES.loopBound(to - from);
    for (int first = from; first < whole; first += BLOCK) {
      int last = Math.min(first + BLOCK, whole);
      for (int t = 0; t < tokens; t++) {
        int xRow = xAt + t * xStride;
        int yRow = yAt + t * yStride;
        step(weight, bias, taps, channels, first, last, x, xRow, state, stateAt, y, yRow);
      }
    }
    for (int t = 0; t < tokens; t++) {
      for (int c = whole; c < to; c++) {
        float sum = bias == null ? 0 : bias[c];
        float in = x[xAt + t * xStride + c];
        y[yAt + t * yStride + c] =
            ScalarShortConvolution.step(sum, weight, taps, channels, c, in, state, stateAt);
      }
    }
  }

  /** Takes channels {@code [from, to)} past one token. */
  private static void step(
      float[] weight,
      float[] bias,
      int taps,
      int channels,
      int from,
      int to,
      float[] x,
      int xRow,
      MemorySegment state,
      long stateAt,
      float[] y,
      int yRow) {
    long rowBytes = channels * 4L;
    for (int c = from; c < to; c += LANES.length()) {
      FloatVector sum =
          bias == null ? FloatVector.zero(LANES) : FloatVector.fromArray(LANES, bias, c);
      FloatVector in = FloatVector.fromArray(LANES, x, xRow + c);
      long at = stateAt + c * 4L;
      for (int j = 0; j < taps - 1; j++, at += rowBytes) {
        FloatVector past = FloatVector.fromMemorySegment(LANES, state, at, ORDER);
        sum = FloatVector.fromArray(LANES, weight, j * channels + c).fma(past, sum);
        if (j > 0) {
          past.intoMemorySegment(state, at - rowBytes, ORDER);
        }
      }
      if (taps > 1) {
        in.intoMemorySegment(state, at - rowBytes, ORDER);
      }
      FloatVector last = FloatVector.fromArray(LANES, weight, (taps - 1) * channels + c);
      last.fma(in, sum).intoArray(y, yRow + c);
    }
  }
}
