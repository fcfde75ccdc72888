package dev.apus.kernels.conv;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The definition of {@link LongConvolution}. */
public final class ScalarLongConvolution extends BlockConvolution {

  public ScalarLongConvolution() {}

  @Override
  void near(
      Filter filter, int group, MemorySegment recent, long at, int i, float[] out, int outAt) {
    long rowBytes = 4L * LANES;
    for (int c = 0; c < LANES; c++) {
      long column = at + 4L * c;
      int k = group * BLOCK * LANES + c;
      float sum =
          filter.skip()[group * LANES + c]
              * recent.get(JAVA_FLOAT_UNALIGNED, column + i * rowBytes);
      for (int s = 0; s <= i; s++) {
        float x = recent.get(JAVA_FLOAT_UNALIGNED, column + (i - s) * rowBytes);
        sum = Math.fma(filter.near()[k + s * LANES], x, sum);
      }
      out[outAt + c] = sum + recent.get(JAVA_FLOAT_UNALIGNED, column + ADDED_AT + i * rowBytes);
    }
  }

  @Override
  void forward(float[] work, int half) {
    for (int start = 0; start < BLOCK; start += 2 * half) {
      for (int k = 0; k < half; k++) {
        float wr = COS[k * (BLOCK / half)];
        float wi = SIN[k * (BLOCK / half)];
        int a = 2 * (start + k) * LANES;
        int b = a + 2 * half * LANES;
        for (int c = 0; c < LANES; c++, a++, b++) {
          float dr = work[a] - work[b];
          float di = work[a + LANES] - work[b + LANES];
          work[a] += work[b];
          work[a + LANES] += work[b + LANES];
          work[b] = Math.fma(wr, dr, -wi * di);
          work[b + LANES] = Math.fma(wr, di, wi * dr);
        }
      }
    }
  }

  @Override
  void backward(float[] work, int half) {
    for (int start = 0; start < BLOCK; start += 2 * half) {
      for (int k = 0; k < half; k++) {
        float wr = COS[k * (BLOCK / half)];
        float wi = -SIN[k * (BLOCK / half)];
        int a = 2 * (start + k) * LANES;
        int b = a + 2 * half * LANES;
        for (int c = 0; c < LANES; c++, a++, b++) {
          float br = Math.fma(wr, work[b], -wi * work[b + LANES]);
          float bi = Math.fma(wr, work[b + LANES], wi * work[b]);
          work[b] = work[a] - br;
          work[b + LANES] = work[a + LANES] - bi;
          work[a] += br;
          work[a + LANES] += bi;
        }
      }
    }
  }

  @Override
  void untangle(float[] work, float[] spectrum, int at) {
    for (int c = 0; c < LANES; c++) {
      spectrum[at + c] = work[c] + work[LANES + c];
      spectrum[at + LANES + c] = work[c] - work[LANES + c];
    }
    for (int k = 1; k <= BLOCK / 2; k++) {
      int a = 2 * REVERSED[k] * LANES;
      int b = 2 * REVERSED[BLOCK - k] * LANES;
      int low = at + 2 * k * LANES;
      int high = at + 2 * (BLOCK - k) * LANES;
      for (int c = 0; c < LANES; c++, a++, b++, low++, high++) {
        float er = 0.5f * (work[a] + work[b]);
        float ei = 0.5f * (work[a + LANES] - work[b + LANES]);
        float or = 0.5f * (work[a + LANES] + work[b + LANES]);
        float oi = 0.5f * (work[b] - work[a]);
        float tr = Math.fma(COS[k], or, -SIN[k] * oi);
        float ti = Math.fma(COS[k], oi, SIN[k] * or);
        spectrum[low] = er + tr;
        spectrum[low + LANES] = ei + ti;
        spectrum[high] = er - tr;
        spectrum[high + LANES] = ti - ei;
      }
    }
  }

  @Override
  void tangle(float[] spectrum, int at, float[] work) {
    for (int c = 0; c < LANES; c++) {
      work[c] = 0.5f * (spectrum[at + c] + spectrum[at + LANES + c]);
      work[LANES + c] = 0.5f * (spectrum[at + c] - spectrum[at + LANES + c]);
    }
    for (int k = 1; k <= BLOCK / 2; k++) {
      int a = 2 * REVERSED[k] * LANES;
      int b = 2 * REVERSED[BLOCK - k] * LANES;
      int low = at + 2 * k * LANES;
      int high = at + 2 * (BLOCK - k) * LANES;
      for (int c = 0; c < LANES; c++, a++, b++, low++, high++) {
        float er = 0.5f * (spectrum[low] + spectrum[high]);
        float ei = 0.5f * (spectrum[low + LANES] - spectrum[high + LANES]);
        float tr = 0.5f * (spectrum[low] - spectrum[high]);
        float ti = 0.5f * (spectrum[low + LANES] + spectrum[high + LANES]);
        float or = Math.fma(COS[k], tr, SIN[k] * ti);
        float oi = Math.fma(COS[k], ti, -SIN[k] * tr);
        work[b] = er + oi;
        work[b + LANES] = or - ei;
        work[a] = er - oi;
        work[a + LANES] = ei + or;
      }
    }
  }

  @Override
  void accumulate(float[] sum, int sumAt, float[] x, int xAt, float[] k, int kAt) {
    for (int i = 0; i < 2 * LANES; i++) {
      sum[sumAt + i] = Math.fma(x[xAt + i], k[kAt + i], sum[sumAt + i]);
    }
    for (int row = 2; row < 2 * BLOCK; row += 2) {
      for (int c = row * LANES; c < (row + 1) * LANES; c++) {
        float xr = x[xAt + c];
        float xi = x[xAt + c + LANES];
        float kr = k[kAt + c];
        float ki = k[kAt + c + LANES];
        float re = Math.fma(xr, kr, sum[sumAt + c]);
        float im = Math.fma(xr, ki, sum[sumAt + c + LANES]);
        sum[sumAt + c] = Math.fma(-xi, ki, re);
        sum[sumAt + c + LANES] = Math.fma(xi, kr, im);
      }
    }
  }
}
