package dev.apus.kernels.conv;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link LongConvolution} with channels in lanes. */
public final class VectorLongConvolution extends BlockConvolution {

  private static final VectorSpecies<Float> V = Lanes.F32;
  private static final int LENGTH = V.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  public VectorLongConvolution() {}

  @Override
  void near(
      Filter filter, int group, MemorySegment recent, long at, int i, float[] out, int outAt) {
    float[] near = filter.near();
    for (int c = 0; c < LANES; c += LENGTH) {
      int k = group * BLOCK * LANES + c;
      long x = at + 4L * (i * LANES + c);
      long added = x + ADDED_AT;
      FloatVector sum =
          FloatVector.fromArray(V, filter.skip(), group * LANES + c)
              .mul(FloatVector.fromMemorySegment(V, recent, x, ORDER));
      for (int s = 0; s <= i; s++, k += LANES, x -= 4L * LANES) {
        FloatVector in = FloatVector.fromMemorySegment(V, recent, x, ORDER);
        sum = FloatVector.fromArray(V, near, k).fma(in, sum);
      }
      sum.add(FloatVector.fromMemorySegment(V, recent, added, ORDER)).intoArray(out, outAt + c);
    }
  }

  @Override
  void forward(float[] work, int half) {
    for (int start = 0; start < BLOCK; start += 2 * half) {
      for (int k = 0; k < half; k++) {
        FloatVector wr = FloatVector.broadcast(V, COS[k * (BLOCK / half)]);
        FloatVector wi = FloatVector.broadcast(V, SIN[k * (BLOCK / half)]);
        int a = 2 * (start + k) * LANES;
        int b = a + 2 * half * LANES;
        for (int c = 0; c < LANES; c += LENGTH, a += LENGTH, b += LENGTH) {
          FloatVector ar = FloatVector.fromArray(V, work, a);
          FloatVector ai = FloatVector.fromArray(V, work, a + LANES);
          FloatVector br = FloatVector.fromArray(V, work, b);
          FloatVector bi = FloatVector.fromArray(V, work, b + LANES);
          FloatVector dr = ar.sub(br);
          FloatVector di = ai.sub(bi);
          ar.add(br).intoArray(work, a);
          ai.add(bi).intoArray(work, a + LANES);
          wr.fma(dr, wi.neg().mul(di)).intoArray(work, b);
          wr.fma(di, wi.mul(dr)).intoArray(work, b + LANES);
        }
      }
    }
  }

  @Override
  void backward(float[] work, int half) {
    for (int start = 0; start < BLOCK; start += 2 * half) {
      for (int k = 0; k < half; k++) {
        FloatVector wr = FloatVector.broadcast(V, COS[k * (BLOCK / half)]);
        FloatVector wi = FloatVector.broadcast(V, -SIN[k * (BLOCK / half)]);
        int a = 2 * (start + k) * LANES;
        int b = a + 2 * half * LANES;
        for (int c = 0; c < LANES; c += LENGTH, a += LENGTH, b += LENGTH) {
          FloatVector ar = FloatVector.fromArray(V, work, a);
          FloatVector ai = FloatVector.fromArray(V, work, a + LANES);
          FloatVector xr = FloatVector.fromArray(V, work, b);
          FloatVector xi = FloatVector.fromArray(V, work, b + LANES);
          FloatVector br = wr.fma(xr, wi.neg().mul(xi));
          FloatVector bi = wr.fma(xi, wi.mul(xr));
          ar.sub(br).intoArray(work, b);
          ai.sub(bi).intoArray(work, b + LANES);
          ar.add(br).intoArray(work, a);
          ai.add(bi).intoArray(work, a + LANES);
        }
      }
    }
  }

  @Override
  void untangle(float[] work, float[] spectrum, int at) {
    for (int c = 0; c < LANES; c += LENGTH) {
      FloatVector re = FloatVector.fromArray(V, work, c);
      FloatVector im = FloatVector.fromArray(V, work, LANES + c);
      re.add(im).intoArray(spectrum, at + c);
      re.sub(im).intoArray(spectrum, at + LANES + c);
    }
    for (int k = 1; k <= BLOCK / 2; k++) {
      FloatVector wr = FloatVector.broadcast(V, COS[k]);
      FloatVector wi = FloatVector.broadcast(V, SIN[k]);
      int a = 2 * REVERSED[k] * LANES;
      int b = 2 * REVERSED[BLOCK - k] * LANES;
      int low = at + 2 * k * LANES;
      int high = at + 2 * (BLOCK - k) * LANES;
      for (int c = 0; c < LANES; c += LENGTH) {
        FloatVector ar = FloatVector.fromArray(V, work, a + c);
        FloatVector ai = FloatVector.fromArray(V, work, a + LANES + c);
        FloatVector br = FloatVector.fromArray(V, work, b + c);
        FloatVector bi = FloatVector.fromArray(V, work, b + LANES + c);
        FloatVector er = ar.add(br).mul(0.5f);
        FloatVector ei = ai.sub(bi).mul(0.5f);
        FloatVector or = ai.add(bi).mul(0.5f);
        FloatVector oi = br.sub(ar).mul(0.5f);
        FloatVector tr = wr.fma(or, wi.neg().mul(oi));
        FloatVector ti = wr.fma(oi, wi.mul(or));
        er.add(tr).intoArray(spectrum, low + c);
        ei.add(ti).intoArray(spectrum, low + LANES + c);
        er.sub(tr).intoArray(spectrum, high + c);
        ti.sub(ei).intoArray(spectrum, high + LANES + c);
      }
    }
  }

  @Override
  void tangle(float[] spectrum, int at, float[] work) {
    for (int c = 0; c < LANES; c += LENGTH) {
      FloatVector first = FloatVector.fromArray(V, spectrum, at + c);
      FloatVector last = FloatVector.fromArray(V, spectrum, at + LANES + c);
      first.add(last).mul(0.5f).intoArray(work, c);
      first.sub(last).mul(0.5f).intoArray(work, LANES + c);
    }
    for (int k = 1; k <= BLOCK / 2; k++) {
      FloatVector wr = FloatVector.broadcast(V, COS[k]);
      FloatVector wi = FloatVector.broadcast(V, SIN[k]);
      int a = 2 * REVERSED[k] * LANES;
      int b = 2 * REVERSED[BLOCK - k] * LANES;
      int low = at + 2 * k * LANES;
      int high = at + 2 * (BLOCK - k) * LANES;
      for (int c = 0; c < LANES; c += LENGTH) {
        FloatVector lr = FloatVector.fromArray(V, spectrum, low + c);
        FloatVector li = FloatVector.fromArray(V, spectrum, low + LANES + c);
        FloatVector hr = FloatVector.fromArray(V, spectrum, high + c);
        FloatVector hi = FloatVector.fromArray(V, spectrum, high + LANES + c);
        FloatVector er = lr.add(hr).mul(0.5f);
        FloatVector ei = li.sub(hi).mul(0.5f);
        FloatVector tr = lr.sub(hr).mul(0.5f);
        FloatVector ti = li.add(hi).mul(0.5f);
        FloatVector or = wr.fma(tr, wi.mul(ti));
        FloatVector oi = wr.fma(ti, wi.neg().mul(tr));
        er.add(oi).intoArray(work, b + c);
        or.sub(ei).intoArray(work, b + LANES + c);
        er.sub(oi).intoArray(work, a + c);
        ei.add(or).intoArray(work, a + LANES + c);
      }
    }
  }

  @Override
  void accumulate(float[] sum, int sumAt, float[] x, int xAt, float[] k, int kAt) {
    for (int i = 0; i < 2 * LANES; i += LENGTH) {
      FloatVector.fromArray(V, x, xAt + i)
          .fma(FloatVector.fromArray(V, k, kAt + i), FloatVector.fromArray(V, sum, sumAt + i))
          .intoArray(sum, sumAt + i);
    }
    for (int row = 2; row < 2 * BLOCK; row += 2) {
      for (int c = row * LANES; c < (row + 1) * LANES; c += LENGTH) {
        FloatVector xr = FloatVector.fromArray(V, x, xAt + c);
        FloatVector xi = FloatVector.fromArray(V, x, xAt + c + LANES);
        FloatVector kr = FloatVector.fromArray(V, k, kAt + c);
        FloatVector ki = FloatVector.fromArray(V, k, kAt + c + LANES);
        FloatVector re = xr.fma(kr, FloatVector.fromArray(V, sum, sumAt + c));
        FloatVector im = xr.fma(ki, FloatVector.fromArray(V, sum, sumAt + c + LANES));
        xi.neg().fma(ki, re).intoArray(sum, sumAt + c);
        xi.fma(kr, im).intoArray(sum, sumAt + c + LANES);
      }
    }
  }
}
