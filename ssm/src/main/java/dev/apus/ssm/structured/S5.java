package dev.apus.ssm.structured;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.scan.ComplexScan;
import java.util.Locale;

/**
 * S5: one diagonal system with as many inputs and outputs as a row has values, between two
 * projections.
 *
 * <pre>
 *   h ← λ̄ ⊙ h + γ ⊙ (B x)      s = 2 Re(C h) + d ⊙ x      y = glu(gelu(s))
 * </pre>
 *
 * <p>λ̄ and γ are λ made discrete with a step of its own for each state. With discretization {@code
 * lru} they are those of a linear recurrent unit, {@code λ̄ = exp(−e^decay + i e^frequency)} and
 * {@code γ = e^gain}. A sequence gives the same bits however it is cut.
 *
 * @see <a href="https://arxiv.org/abs/2208.04933">Simplified State Space Layers</a>
 * @see <a href="https://arxiv.org/abs/2303.06349">Resurrecting Recurrent Neural Networks</a>
 */
public final class S5 implements SequenceMixer<RecurrentState> {

  private static final int STATES = 0;

  /** States that one thread recurs at a time, at least. */
  private static final int RANGE = 64;

  private final int pairs;
  private final float[] lambda;
  private final float[] gamma;
  private final float[] skip;
  private final Projection b;
  private final Projection c;
  private final Readout readout;

  /**
   * @param blocks a HiPPO spectrum is that of so many equal systems side by side
   * @param discretization null for that of linear recurrent units
   */
  record Spec(int stateSize, int blocks, Discretization discretization, Spectrum.Source spectrum) {

    static Spec read(Config c) {
      int stateSize = c.positive("stateSize", 64);
      if (stateSize % 2 != 0) {
        throw c.errorAt(
            "stateSize", "stateSize=%d must be even: states are conjugate pairs", stateSize);
      }
      String word = c.choice("discretization", "zoh", "zoh", "bilinear", "lru");
      boolean unit = word.equals("lru");
      Spectrum.Source spectrum = unit ? Spectrum.Source.LEARNED : Spectrum.Source.read(c);
      int blocks = spectrum == Spectrum.Source.LEARNED ? 1 : c.positive("blocks", 1);
      if (stateSize % (2 * blocks) != 0) {
        throw c.errorAt(
            "blocks", "stateSize=%d is not blocks=%d times an even number", stateSize, blocks);
      }
      return new Spec(
          stateSize,
          blocks,
          unit ? null : Discretization.valueOf(word.toUpperCase(Locale.ROOT)),
          spectrum);
    }
  }

  private S5(Spec spec, Site site, Readout readout) {
    WeightScope weights = site.weights();
    int width = site.width();
    this.pairs = spec.stateSize() / 2;
    this.readout = readout;
    this.b = weights.projection("b", 2 * pairs, width);
    this.c = weights.projection("c", width, 2 * pairs);
    this.skip = weights.vector("d", width, new Typical(0, 1));
    this.lambda = new float[2 * pairs];
    this.gamma = new float[2 * pairs];
    if (spec.discretization() == null) {
      setUnit(weights);
    } else {
      discretize(spec, weights);
    }
  }

  private void setUnit(WeightScope weights) {
    float[] decay = weights.vector("decay", pairs, new Typical(-3, 2));
    float[] frequency = weights.vector("frequency", pairs, new Typical(-0.5f, 1.5f));
    float[] gain = weights.vector("gain", pairs, new Typical(-1, 0.5f));
    for (int i = 0; i < pairs; i++) {
      var logarithm = new Complex(-StrictMath.exp(decay[i]), StrictMath.exp(frequency[i]));
      set(lambda, i, logarithm.exp());
      set(gamma, i, new Complex(StrictMath.exp(gain[i]), 0));
    }
  }

  private void discretize(Spec spec, WeightScope weights) {
    float[] step = weights.vector("step", pairs, new Typical(-4.6f, 2.3f));
    Complex[] diagonal = new Complex[pairs];
    if (spec.spectrum() == Spectrum.Source.LEARNED) {
      float[] decay = weights.vector("decay", pairs, new Typical(-0.7f, 0.5f));
      float[] frequency = weights.vector("frequency", pairs, new Typical(30, 30));
      for (int i = 0; i < pairs; i++) {
        diagonal[i] = new Complex(-StrictMath.exp(decay[i]), frequency[i]);
      }
    } else {
      Spectrum block = Spectrum.fixed(spec.spectrum(), spec.stateSize() / spec.blocks(), false);
      for (int i = 0; i < pairs; i++) {
        diagonal[i] = block.lambda()[i % block.pairs()];
      }
    }
    for (int i = 0; i < pairs; i++) {
      double size = StrictMath.exp(step[i]);
      set(lambda, i, spec.discretization().decay(diagonal[i], size));
      set(gamma, i, spec.discretization().gain(diagonal[i], size, 0));
    }
  }

  private void set(float[] row, int i, Complex value) {
    row[i] = (float) value.re();
    row[pairs + i] = (float) value.im();
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(new Region(1, 2L * pairs));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix h = frame.matrix(x.rows(), 2 * pairs);
      Matrix s = frame.matrix(x.rows(), x.cols());
      b.apply(pass, x, h);
      recur(pass, batch, h);
      c.apply(pass, h, s);
      pass.eachRow(
          x.rows(),
          x.cols(),
          (from, to, worker) -> {
            for (int row = from; row < to; row++) {
              for (int i = 0; i < skip.length; i++) {
                int at = s.at(row) + i;
                s.data()[at] = Math.fma(skip[i], x.data()[x.at(row) + i], s.data()[at]);
              }
            }
          });
      readout.apply(pass, s, y);
    }
  }

  private void recur(Pass pass, Batch<RecurrentState> batch, Matrix h) {
    ComplexScan scan = pass.kernels().complexScan();
    batch.runs().forEach(run -> run.state().keep(STATES));
    pass.eachRow(
        Math.ceilDiv(pairs, RANGE),
        h.rows() * RANGE,
        (from, to, worker) -> {
          for (Run<RecurrentState> run : batch.runs()) {
            RecurrentState state = run.state();
            scan.recur(
                lambda,
                gamma,
                pairs,
                from * RANGE,
                Math.min(pairs, to * RANGE),
                run.length(),
                h.data(),
                h.at(run.from()),
                h.cols(),
                state.segment(),
                state.at(STATES));
          }
        });
    batch.runs().forEach(run -> run.state().changed());
  }

  /**
   * The type {@code s5}; its settings are those of {@link Spec} and of what follows the system. The
   * weights {@code b} and {@code c} are real: {@code b} has a row for each state's real part, then
   * for its imaginary part, and {@code c} has columns {@code 2 Re C}, then {@code −2 Im C}.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "s5";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      Spec spec = Spec.read(settings);
      Readout.Way way = Readout.Way.read(settings);
      return new S5(spec, site, Readout.read(way, settings.flag("biased", true), site));
    }
  }
}
