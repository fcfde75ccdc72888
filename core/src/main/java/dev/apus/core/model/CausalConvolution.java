package dev.apus.core.model;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;

/**
 * The short convolution of a mixer: each channel is a weighted sum of its last few inputs. A
 * sequence remembers all inputs but the newest, in a region of one piece of its state.
 */
public final class CausalConvolution {

  /** Channels that one thread convolves at a time, at least. */
  private static final int CHANNELS = 64;

  private final float[] weight;
  private final float[] bias;
  private final int taps;
  private final int channels;

  private CausalConvolution(float[] weight, float[] bias, int taps, int channels) {
    this.weight = weight;
    this.bias = bias;
    this.taps = taps;
    this.channels = channels;
  }

  /** The convolution whose weight is stored as {@code channels} rows of {@code taps} values. */
  public static CausalConvolution read(
      WeightScope weights, String name, int channels, int taps, boolean biased) {
    float[] stored = weights.table(name, channels, taps, new Typical(0, 0.5f));
    float[] turned = new float[stored.length];
    for (int channel = 0; channel < channels; channel++) {
      for (int tap = 0; tap < taps; tap++) {
        turned[tap * channels + channel] = stored[channel * taps + tap];
      }
    }
    float[] bias = biased ? weights.vector(name + ".bias", channels, Typical.BIAS) : null;
    return new CausalConvolution(turned, bias, taps, channels);
  }

  /**
   * This convolution after each channel's inputs have been multiplied by a factor; a sequence
   * remembers them as they were.
   */
  public CausalConvolution ofScaled(float[] factors) {
    float[] scaled = new float[weight.length];
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = weight[i] * factors[i % channels];
    }
    return new CausalConvolution(scaled, bias, taps, channels);
  }

  /** What it gives before the first token: its biases, or null for zeros. */
  public float[] before() {
    return bias;
  }

  /** What a sequence remembers for it. */
  public Region region() {
    return new Region(1, (long) (taps - 1) * channels);
  }

  /**
   * The work of projecting rows and convolving what comes of it, some channels after the others,
   * while they are in the cache.
   *
   * @param region which region of the states is this convolution's; it is kept now
   * @param y receives {@code f(conv(W x))}, its first column channel 0
   * @param channel what the projection's first output is
   */
  public Divisible after(
      Projection projection,
      Pass pass,
      Batch<RecurrentState> batch,
      int region,
      Matrix x,
      Matrix y,
      int channel,
      Activation f) {
    batch.runs().forEach(run -> run.state().keep(region));
    return projection.task(
        pass,
        x,
        0,
        y,
        channel,
        taps + Pass.cost(f),
        (from, to, worker) -> {
          apply(pass, batch, region, channel + from, channel + to, y, 0);
          pass.activate(f, y, channel + from, channel + to);
        });
  }

  /**
   * Convolves every run of a batch in place and moves their states forward.
   *
   * @param region which region of the states is this convolution's
   * @param x rows of which the channels begin at column {@code column}
   */
  public void apply(Pass pass, Batch<RecurrentState> batch, int region, Matrix x, int column) {
    batch.runs().forEach(run -> run.state().keep(region));
    pass.eachRow(
        Math.ceilDiv(channels, CHANNELS),
        x.rows() * CHANNELS * taps / 4,
        (from, to, worker) -> {
          int first = from * CHANNELS;
          int last = Math.min(channels, to * CHANNELS);
          apply(pass, batch, region, first, last, x, column);
        });
  }

  /**
   * The same for channels {@code [first, last)} alone, on the thread that calls it, after the
   * region has been kept.
   */
  private void apply(
      Pass pass,
      Batch<RecurrentState> batch,
      int region,
      int first,
      int last,
      Matrix x,
      int column) {
    for (Run<RecurrentState> run : batch.runs()) {
      apply(pass, run, region, first, last, x, column);
    }
  }

  private void apply(
      Pass pass, Run<RecurrentState> run, int region, int first, int last, Matrix x, int column) {
    float[] data = x.data();
    int at = x.at(run.from()) + column;
    RecurrentState state = run.state();
    pass.kernels()
        .convolution()
        .convolve(
            weight,
            bias,
            taps,
            channels,
            first,
            last,
            data,
            at,
            x.cols(),
            run.length(),
            state.segment(),
            state.at(region),
            data,
            at,
            x.cols());
  }
}
