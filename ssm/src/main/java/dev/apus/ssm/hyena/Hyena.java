package dev.apus.ssm.hyena;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.conv.LongConvolution;
import dev.apus.kernels.conv.LongConvolution.Filter;

/**
 * Hyena: a recurrence of products with projections of the input and of convolutions with filters as
 * long as the sequence, which a small network makes.
 *
 * <pre>
 *   x₀, …, x_N₋₁, v = conv(W x + b)
 *   v ← k_o ∗ (x_N₋₁₋o ⊙ v) + d_o ⊙ (x_N₋₁₋o ⊙ v)      for o = 0 … N − 2
 *   y = W_o (x₀ ⊙ v) + b_o
 * </pre>
 *
 * <p>There is no recurrence of constant size behind a filter. A sequence remembers its past inputs
 * as spectra of blocks, {@code 2 (N − 1)} numbers a token and channel, and token t reads all of
 * them once for each block: about {@code 4 t / 64} multiply-adds a token and channel. A sequence
 * gives the same bits however it is cut.
 *
 * @see <a href="https://arxiv.org/abs/2302.10866">Hyena Hierarchy</a>
 */
public final class Hyena implements SequenceMixer<HyenaState> {

  /** The regions of the block a sequence is in. */
  private static final int SHORT = 0;

  private static final int RECENT = 1;

  private final int width;
  private final int filters;
  private final Projection input;
  private final Projection output;
  private final CausalConvolution convolution;
  private final Filter[] filter;

  private Hyena(HyenaSpec spec, Site site) {
    WeightScope weights = site.weights();
    this.width = site.width();
    this.filters = spec.order() - 1;
    int channels = (spec.order() + 1) * width;
    this.input = weights.projection("in", channels, width, true);
    this.output = weights.projection("o", width, width, true);
    this.convolution = CausalConvolution.read(weights, "conv", channels, spec.taps(), true);
    var implicit = new ImplicitFilters(spec, weights.scope("filter"), filters * width);
    float[] skip = weights.vector("d", filters * width, new Typical(0, 1));
    this.filter = new Filter[filters];
    for (int o = 0; o < filters; o++) {
      float[] own = new float[width];
      System.arraycopy(skip, o * width, own, 0, width);
      float[] taps = implicit.taps(o * width, width);
      filter[o] = site.kernels().longConvolution().filter(width, spec.length(), taps, own);
    }
  }

  private int groups() {
    return filter[0].groups();
  }

  @Override
  public HyenaState newState(int limit) {
    int pieces = filters * groups();
    return HyenaState.of(
        pieces * LongConvolution.GROUP_FLOATS,
        limit,
        convolution.region(),
        new Region(pieces, LongConvolution.GROUP_FLOATS));
  }

  @Override
  public long bytesPerToken() {
    return 4L * filters * groups() * LongConvolution.GROUP_FLOATS / LongConvolution.BLOCK;
  }

  @Override
  public void forward(Pass pass, Batch<HyenaState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix mixed = frame.matrix(rows, (filters + 2) * width);
      Matrix v = frame.matrix(rows, width);
      input.apply(pass, x, mixed);
      convolution.apply(pass, batch.map(HyenaState::recent), SHORT, mixed, 0);
      float[][][] spectra =
          batch.runs().stream()
              .map(run -> run.state().spectra(run.length()))
              .toArray(float[][][]::new);
      multiply(pass, mixed, filters + 1, filters, v);
      for (int o = 0; o < filters; o++) {
        convolve(pass, batch, o, spectra, v);
        multiply(pass, mixed, -1, filters - 1 - o, v);
      }
      for (int i = 0; i < spectra.length; i++) {
        Run<HyenaState> run = batch.runs().get(i);
        run.state().advance(run.length(), spectra[i]);
      }
      output.apply(pass, v, y);
    }
  }

  /** {@code v ← x_factor ⊙ v}, or the product of two of the projections if one starts it. */
  private void multiply(Pass pass, Matrix mixed, int start, int factor, Matrix v) {
    pass.eachRow(
        v.rows(),
        width,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            float[] a = start < 0 ? v.data() : mixed.data();
            int aAt = start < 0 ? v.at(row) : mixed.at(row) + start * width;
            int bAt = mixed.at(row) + factor * width;
            for (int i = 0; i < width; i++) {
              v.data()[v.at(row) + i] = a[aAt + i] * mixed.data()[bAt + i];
            }
          }
        });
  }

  private void convolve(Pass pass, Batch<HyenaState> batch, int o, float[][][] spectra, Matrix v) {
    int first = o * groups();
    pass.eachRow(
        groups(),
        v.rows() * LongConvolution.LANES * LongConvolution.BLOCK / 8,
        (from, to, worker) -> {
          float[] scratch = pass.scratch(worker, 2 * LongConvolution.GROUP_FLOATS);
          for (int i = 0; i < spectra.length; i++) {
            Run<HyenaState> run = batch.runs().get(i);
            var recent = run.state().recent();
            for (int group = from; group < to; group++) {
              recent.keep(RECENT, first + group);
            }
            pass.kernels()
                .longConvolution()
                .convolve(
                    filter[o],
                    from,
                    to,
                    run.state().length(),
                    run.length(),
                    v.data(),
                    v.at(run.from()),
                    width,
                    recent.segment(),
                    recent.at(RECENT, first),
                    spectra[i],
                    first * LongConvolution.GROUP_FLOATS,
                    v.data(),
                    v.at(run.from()),
                    width,
                    scratch);
          }
        });
  }

  /** The type {@code hyena}; its settings are those of {@link HyenaSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "hyena";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new Hyena(HyenaSpec.read(settings, site.width(), site.context()), site);
    }
  }
}
