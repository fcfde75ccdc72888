package dev.apus.ssm.structured;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;

/**
 * S4 and its diagonal kin: a linear system of its own for each channel, then a mixing of channels.
 *
 * <pre>
 *   h ← Ā h + b̄ x      s = 2 Re(c h) + d x      y = glu(gelu(s))
 * </pre>
 *
 * <p>The settings make it S4 (matrix {@code dplr}: a diagonal and a matrix of rank one), S4D
 * (matrix {@code diagonal}) or DSS (discretization {@code softmax}). A sequence gives the same bits
 * however it is cut.
 *
 * @see <a href="https://arxiv.org/abs/2111.00396">Efficiently Modeling Long Sequences with
 *     Structured State Spaces</a>
 * @see <a href="https://arxiv.org/abs/2206.11893">S4D</a>
 * @see <a href="https://arxiv.org/abs/2203.14343">DSS</a>
 */
public final class S4 implements SequenceMixer<RecurrentState> {

  private static final int SYSTEMS = 0;

  private final ChannelSystems systems;
  private final Readout readout;

  private S4(ChannelSystems systems, Readout readout) {
    this.systems = systems;
    this.readout = readout;
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(systems.region());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix s = frame.matrix(x.rows(), x.cols());
      systems.apply(pass, batch, SYSTEMS, x, s);
      batch.runs().forEach(run -> run.state().changed());
      readout.apply(pass, s, y);
    }
  }

  /** The type {@code s4}; its settings are those of a system and of what follows it. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "s4";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      var spec = ChannelSystems.Spec.read(settings, site.width(), 1, site.context());
      Readout.Way way = Readout.Way.read(settings);
      boolean biased = settings.flag("biased", true);
      return new S4(
          ChannelSystems.read(spec, site.weights(), site.width(), 1),
          Readout.read(way, biased, site));
    }
  }
}
