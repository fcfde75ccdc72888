package dev.apus.kernels.conv;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * {@link LongConvolution} but for its loops over channels: the order in which blocks are
 * transformed and added. Transforms work on rows of channels: complex number i is in rows 2i and 2i
 * + 1.
 */
abstract class BlockConvolution implements LongConvolution {

  /** Row i of a transform's complex result holds number {@code REVERSED[i]}. */
  static final int[] REVERSED = new int[BLOCK];

  /** {@code e^(−πik / BLOCK)} as cosines and negative sines. */
  static final float[] COS = new float[BLOCK];

  static final float[] SIN = new float[BLOCK];

  static {
    int bits = Integer.numberOfTrailingZeros(BLOCK);
    for (int i = 0; i < BLOCK; i++) {
      REVERSED[i] = Integer.reverse(i) >>> Integer.SIZE - bits;
      COS[i] = (float) StrictMath.cos(Math.PI * i / BLOCK);
      SIN[i] = (float) -StrictMath.sin(Math.PI * i / BLOCK);
    }
  }

  private static final long GROUP_BYTES = 4L * GROUP_FLOATS;

  /** Where what earlier blocks add begins in a group of the recent block. */
  static final long ADDED_AT = GROUP_BYTES / 2;

  /** Writes the output of token {@code i} of a block for one group, of all channels. */
  abstract void near(
      Filter filter, int group, MemorySegment recent, long at, int i, float[] out, int outAt);

  /** One step of a transform: halves of {@code 2 · half} numbers become sums and differences. */
  abstract void forward(float[] work, int half);

  /** Takes back {@link #forward}, but for a factor of two. */
  abstract void backward(float[] work, int half);

  /** Turns the transform of pairs of real numbers into the spectrum of all of them. */
  abstract void untangle(float[] work, float[] spectrum, int at);

  /** Takes back {@link #untangle}. */
  abstract void tangle(float[] spectrum, int at, float[] work);

  /** {@code sum ← sum + x · k}, bin by bin. */
  abstract void accumulate(float[] sum, int sumAt, float[] x, int xAt, float[] k, int kAt);

  @Override
  public Filter filter(int channels, int length, float[] taps, float[] skip) {
    int groups = Math.ceilDiv(channels, LANES);
    float[] near = new float[groups * BLOCK * LANES];
    float[][] spectra = new float[Math.ceilDiv(length, BLOCK)][];
    float[] work = new float[GROUP_FLOATS];
    for (int m = 0; m < spectra.length; m++) {
      spectra[m] = new float[groups * GROUP_FLOATS];
      for (int group = 0; group < groups; group++) {
        Arrays.fill(work, 0);
        int wide = Math.min(LANES, channels - group * LANES);
        for (int i = 0; i < Math.min(2 * BLOCK, length - m * BLOCK); i++) {
          int at = (m * BLOCK + i) * channels + group * LANES;
          System.arraycopy(taps, at, work, i * LANES, wide);
        }
        if (m == 0) {
          System.arraycopy(work, 0, near, group * BLOCK * LANES, BLOCK * LANES);
        }
        transform(work, spectra[m], group * GROUP_FLOATS);
      }
    }
    return new Filter(channels, near, Arrays.copyOf(skip, groups * LANES), spectra);
  }

  private void transform(float[] work, float[] spectrum, int at) {
    for (int half = BLOCK / 2; half > 0; half /= 2) {
      forward(work, half);
    }
    untangle(work, spectrum, at);
  }

  @Override
  public void convolve(
      Filter filter,
      int from,
      int to,
      int position,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment recent,
      long recentAt,
      float[][] past,
      int pastAt,
      float[] y,
      int yAt,
      int yStride,
      float[] scratch) {
    for (int group = from; group < to; group++) {
      int wide = Math.min(LANES, filter.channels() - group * LANES);
      long at = recentAt + group * GROUP_BYTES;
      int lane = group * LANES;
      int spectrumAt = pastAt + group * GROUP_FLOATS;
      for (int t = 0; t < tokens; t++) {
        int i = (position + t) % BLOCK;
        long row = at + 4L * i * LANES;
        MemorySegment.copy(x, xAt + t * xStride + lane, recent, JAVA_FLOAT, row, wide);
        near(filter, group, recent, at, i, scratch, 0);
        System.arraycopy(scratch, 0, y, yAt + t * yStride + lane, wide);
        if (i == BLOCK - 1) {
          next(filter, group, (position + t) / BLOCK, recent, at, past, spectrumAt, scratch);
        }
      }
    }
  }

  /** Ends block {@code j}: keeps its spectrum, and adds up what the next gets from all before. */
  private void next(
      Filter filter,
      int group,
      int j,
      MemorySegment recent,
      long at,
      float[][] past,
      int pastAt,
      float[] scratch) {
    MemorySegment.copy(recent, JAVA_FLOAT, at, scratch, 0, BLOCK * LANES);
    Arrays.fill(scratch, BLOCK * LANES, 2 * GROUP_FLOATS, 0);
    transform(scratch, past[j], pastAt);
    for (int m = 1; m <= Math.min(j + 1, filter.spectra().length); m++) {
      float[] spectrum = filter.spectra()[m - 1];
      int spectrumAt = group * GROUP_FLOATS;
      accumulate(scratch, GROUP_FLOATS, past[j + 1 - m], pastAt, spectrum, spectrumAt);
    }
    tangle(scratch, GROUP_FLOATS, scratch);
    for (int half = 1; half < BLOCK; half *= 2) {
      backward(scratch, half);
    }
    for (int i = BLOCK * LANES; i < GROUP_FLOATS; i++) {
      scratch[i] *= 1f / BLOCK;
    }
    MemorySegment.copy(scratch, BLOCK * LANES, recent, JAVA_FLOAT, at + ADDED_AT, BLOCK * LANES);
  }
}
