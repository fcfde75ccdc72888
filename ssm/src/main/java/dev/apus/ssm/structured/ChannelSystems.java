package dev.apus.ssm.structured;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.NativeFloats;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.scan.Systems;
import dev.apus.kernels.scan.Systems.Coefficient;
import java.util.Locale;

/**
 * A linear system for each channel, made discrete when it is read:
 *
 * <pre>
 *   h′ = A h + b x      y = 2 Re(c h) + d x      A = diag(λ), or diag(λ) − p p*
 * </pre>
 *
 * <p>h is one number of each conjugate pair; p* h is taken over both. Bilinear steps turn a matrix
 * of rank one into another: with {@code D = 1 / (2/Δ − λ)} and {@code r = 1 / (1 + p* D p)},
 *
 * <pre>
 *   Ā = diag(λ̄) − (4 r / Δ) (D p) (p* D)      b̄ = 2 D (b − r p (p* D b))
 * </pre>
 *
 * <p>A sequence remembers h in one region of its state, a piece for each block of channels.
 */
final class ChannelSystems {

  /**
   * @param stateSize real numbers that a channel remembers
   * @param lowRank whether A has a matrix of rank one
   * @param copies how many spectra the weights hold; system i has number i modulo copies
   * @param length the longest sequence the model was made for
   */
  record Spec(
      int stateSize,
      boolean lowRank,
      Discretization discretization,
      Spectrum.Source spectrum,
      int copies,
      int length) {

    /**
     * @param count how many systems there are
     * @param repeat how many channels each of them answers
     */
    static Spec read(Config c, int count, int repeat, int context) {
      int stateSize = c.positive("stateSize", 64);
      if (stateSize % 2 != 0) {
        throw c.errorAt(
            "stateSize", "stateSize=%d must be even: states are conjugate pairs", stateSize);
      }
      long channels = (long) count * repeat;
      if ((double) stateSize * (channels + Systems.BLOCK) > Integer.MAX_VALUE) {
        throw c.error(
            "%d channels of stateSize=%d are more than 2^31 − 1 values", channels, stateSize);
      }
      boolean lowRank = c.choice("matrix", "diagonal", "diagonal", "dplr").equals("dplr");
      String discretization =
          lowRank
              ? c.choice("discretization", "bilinear", "bilinear")
              : c.choice("discretization", "zoh", "zoh", "bilinear", "softmax");
      Spectrum.Source spectrum = Spectrum.Source.read(c);
      boolean learned = spectrum == Spectrum.Source.LEARNED;
      if (lowRank && !learned && spectrum != Spectrum.Source.LEGS) {
        throw c.errorAt(
            "spectrum",
            "spectrum=\"%s\" is a diagonal; matrix=\"dplr\" needs learned or legs",
            c.word("spectrum"));
      }
      int copies = learned ? c.positive("copies", count) : 1;
      if (count % copies != 0) {
        throw c.errorAt("copies", "copies=%d does not divide %d systems", copies, count);
      }
      Discretization way = Discretization.valueOf(discretization.toUpperCase(Locale.ROOT));
      int length = way == Discretization.SOFTMAX ? c.positive("length", context) : 0;
      return new Spec(stateSize, lowRank, way, spectrum, copies, length);
    }

    int pairs() {
      return stateSize / 2;
    }
  }

  private final Systems systems;
  private final float[] skip;

  /** Kept as long as the systems are used. */
  private final NativeFloats coefficients;

  private ChannelSystems(Systems systems, float[] skip, NativeFloats coefficients) {
    this.systems = systems;
    this.skip = skip;
    this.coefficients = coefficients;
  }

  /**
   * Reads as many systems and gives each to so many channels that follow one another. The weights
   * are {@code step}, the logarithms of Δ, {@code c}, {@code d} and those of a learned spectrum.
   */
  static ChannelSystems read(Spec spec, WeightScope weights, int count, int repeat) {
    int pairs = spec.pairs();
    float[] step = weights.vector("step", count, new Typical(-4.6f, 2.3f));
    Complex[][] c = Spectrum.complex(weights, "c", count, pairs, new Typical(0, 1));
    float[] d = weights.vector("d", count, new Typical(0, 1));
    Spectrum[] spectra =
        spec.spectrum() == Spectrum.Source.LEARNED
            ? Spectrum.learned(weights, spec.copies(), pairs, spec.lowRank())
            : new Spectrum[] {Spectrum.fixed(spec.spectrum(), spec.stateSize(), spec.lowRank())};
    int channels = count * repeat;
    NativeFloats memory = NativeFloats.ofBytes(Systems.bytes(channels, pairs, spec.lowRank()));
    Systems systems = new Systems(channels, pairs, spec.lowRank(), memory.segment());
    float[] skip = new float[channels];
    for (int channel = 0; channel < channels; channel++) {
      int i = channel / repeat;
      Spectrum spectrum = spectra[i % spectra.length];
      double size = StrictMath.exp(step[i]);
      skip[channel] = d[i];
      if (spec.lowRank()) {
        setLowRank(systems, channel, spectrum, size, c[i]);
      } else {
        setDiagonal(systems, channel, spectrum, size, c[i], spec);
      }
    }
    return new ChannelSystems(systems, skip, memory);
  }

  private static void setDiagonal(
      Systems systems, int channel, Spectrum spectrum, double step, Complex[] c, Spec spec) {
    for (int n = 0; n < spectrum.pairs(); n++) {
      Complex lambda = spectrum.lambda()[n];
      Complex gain = spec.discretization().gain(lambda, step, spec.length());
      set(systems, channel, n, Coefficient.DECAY, spec.discretization().decay(lambda, step));
      Complex output = c[n].times(spectrum.b()[n]).times(gain).times(2);
      set(systems, channel, n, Coefficient.OUTPUT, output);
    }
  }

  private static void setLowRank(
      Systems systems, int channel, Spectrum spectrum, double step, Complex[] c) {
    int pairs = spectrum.pairs();
    Complex[] p = spectrum.p();
    Complex[] inverse = new Complex[pairs];
    double pp = 0;
    double pb = 0;
    for (int n = 0; n < pairs; n++) {
      inverse[n] = Complex.ONE.over(spectrum.lambda()[n].times(-1).plus(2 / step));
      Complex left = p[n].conjugate().times(inverse[n]);
      pp += 2 * left.times(p[n]).re();
      pb += 2 * left.times(spectrum.b()[n]).re();
    }
    double r = 1 / (1 + pp);
    for (int n = 0; n < pairs; n++) {
      Complex decay = Discretization.BILINEAR.decay(spectrum.lambda()[n], step);
      Complex input = spectrum.b()[n].plus(p[n].times(-r * pb)).times(inverse[n]).times(2);
      set(systems, channel, n, Coefficient.DECAY, decay);
      set(systems, channel, n, Coefficient.OUTPUT, c[n].times(2));
      set(systems, channel, n, Coefficient.INPUT, input);
      Complex coupling = p[n].times(inverse[n]).times(-4 * r / step);
      set(systems, channel, n, Coefficient.COUPLING, coupling);
      set(systems, channel, n, Coefficient.SUM, p[n].conjugate().times(inverse[n]).times(2));
    }
  }

  private static void set(Systems systems, int channel, int n, Coefficient which, Complex value) {
    systems.set(channel, n, which, value.re(), value.im());
  }

  /** What a sequence remembers. */
  Region region() {
    return new Region(systems.blocks(), systems.stateFloats());
  }

  /**
   * Writes the answer of every channel to each row and moves the states of all runs forward.
   *
   * @param region which region of the states is this one's
   * @param x rows of as many values as there are channels; {@code y} too, in other memory
   */
  void apply(Pass pass, Batch<RecurrentState> batch, int region, Matrix x, Matrix y) {
    int channels = systems.channels();
    pass.eachRow(
        systems.blocks(),
        x.rows() * Systems.BLOCK * systems.states() / 2,
        (from, to, worker) -> {
          for (Run<RecurrentState> run : batch.runs()) {
            RecurrentState state = run.state();
            for (int block = from; block < to; block++) {
              state.keep(region, block);
            }
            pass.kernels()
                .complexScan()
                .respond(
                    systems,
                    skip,
                    from * Systems.BLOCK,
                    Math.min(channels, to * Systems.BLOCK),
                    run.length(),
                    x.data(),
                    x.at(run.from()),
                    x.cols(),
                    state.segment(),
                    state.at(region),
                    y.data(),
                    y.at(run.from()),
                    y.cols());
          }
        });
  }

  /** The memory of the coefficients. */
  long bytes() {
    return coefficients.bytes();
  }
}
