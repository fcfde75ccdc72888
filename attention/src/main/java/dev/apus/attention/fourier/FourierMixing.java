package dev.apus.attention.fourier;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import java.util.Set;

/**
 * Mixes without weights: the real part of the Fourier transform of a text's rows, along the width
 * and along the text.
 *
 * <pre>
 *   y[t][c] = Re Σ_s Σ_d x[s][d] · e^(−2πi(cd / width + ts / tokens))
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2105.03824">FNet</a>
 */
public final class FourierMixing implements SequenceMixer<RecurrentState> {

  private static final int LANES = Transform.LANES;
  private static final int ROW = Transform.ROW;

  private final Transform along;
  private final int padded;

  /**
   * @param padded tokens that a text is filled up to with zeros before it is transformed; 0 for
   *     none
   */
  private FourierMixing(int width, int padded) {
    this.along = new Transform(width);
    this.padded = padded;
  }

  /**
   * @throws IllegalArgumentException if the text is longer than it is filled up to
   */
  @Override
  public RecurrentState newState(int limit) {
    if (padded > 0 && limit > padded) {
      throw new IllegalArgumentException(
          "a text of " + limit + " tokens; fourier fills up to padded=" + padded);
    }
    return RecurrentState.of();
  }

  @Override
  public Set<Visibility> visibilities() {
    return Set.of(Visibility.BIDIRECTIONAL);
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix real = frame.matrix(x.rows(), x.cols());
      Matrix imaginary = frame.matrix(x.rows(), x.cols());
      pass.workers()
          .run(
              Math.ceilDiv(x.rows(), LANES),
              (block, worker) -> {
                int from = block * LANES;
                int to = Math.min(x.rows(), from + LANES);
                alongTheWidth(pass, worker, from, to, x, real, imaginary);
              });
      for (Run<RecurrentState> run : batch.runs()) {
        int tokens = padded == 0 ? run.length() : padded;
        Transform transform = pass.once(new Key(tokens), () -> new Transform(tokens));
        pass.workers()
            .run(
                Math.ceilDiv(x.cols(), LANES),
                (block, worker) -> {
                  int from = block * LANES;
                  int to = Math.min(x.cols(), from + LANES);
                  alongTheText(pass, worker, transform, run, from, to, real, imaginary, y);
                });
      }
    }
  }

  /** Under which the layers of a pass share the transform of a length. */
  private record Key(int tokens) {}

  /** Transforms rows {@code [from, to)}, each a sequence. */
  private void alongTheWidth(
      Pass pass, int worker, int from, int to, Matrix x, Matrix real, Matrix imaginary) {
    float[] scratch = scratch(pass, worker, along);
    int floats = along.floats();
    along.clear(scratch, 0, 0);
    for (int row = from; row < to; row++) {
      for (int c = 0; c < x.cols(); c++) {
        scratch[c * ROW + row - from] = x.data()[x.at(row) + c];
      }
    }
    transform(pass, along, scratch);
    for (int row = from; row < to; row++) {
      for (int c = 0; c < x.cols(); c++) {
        int at = floats + c * ROW + row - from;
        real.data()[real.at(row) + c] = scratch[at];
        imaginary.data()[imaginary.at(row) + c] = scratch[at + LANES];
      }
    }
  }

  /** Transforms columns {@code [from, to)} of a run, each a sequence. */
  private static void alongTheText(
      Pass pass,
      int worker,
      Transform transform,
      Run<RecurrentState> run,
      int from,
      int to,
      Matrix real,
      Matrix imaginary,
      Matrix y) {
    float[] scratch = scratch(pass, worker, transform);
    transform.clear(scratch, 0, 0);
    for (int t = 0; t < run.length(); t++) {
      int at = real.at(run.from() + t) + from;
      System.arraycopy(real.data(), at, scratch, t * ROW, to - from);
      System.arraycopy(imaginary.data(), at, scratch, t * ROW + LANES, to - from);
    }
    transform(pass, transform, scratch);
    for (int t = 0; t < run.length(); t++) {
      int at = y.at(run.from() + t) + from;
      System.arraycopy(scratch, transform.floats() + t * ROW, y.data(), at, to - from);
    }
  }

  private static float[] scratch(Pass pass, int worker, Transform transform) {
    return pass.scratch(worker, Math.addExact(2 * transform.floats(), transform.scratchFloats()));
  }

  /** Transforms what is at the beginning of the scratch memory to what follows it. */
  private static void transform(Pass pass, Transform transform, float[] scratch) {
    int floats = transform.floats();
    transform.apply(pass.kernels().activations(), scratch, 0, scratch, floats, scratch, 2 * floats);
  }

  /**
   * The type {@code fourier}; {@code padded} tokens are what a text is filled up to with zeros, if
   * it is not transformed at its own length.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "fourier";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new FourierMixing(site.width(), settings.count("padded", 0));
    }
  }
}
