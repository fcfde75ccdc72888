package dev.apus.attention.rwkv;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;

/**
 * One matrix of {@link ShiftedRows}: {@code y = W (x + μ ⊙ δ)}. RWKV-7 makes the values that all
 * its layers share with it.
 */
public final class ShiftedLinear implements SequenceMixer<RecurrentState> {

  /** The region of a state. */
  private static final int SHIFT = 0;

  private final ShiftedRows shifted;
  private final Projection matrix;

  private ShiftedLinear(Site site) {
    this.shifted = new ShiftedRows(site.weights(), site.inputs(), "v", 0);
    this.matrix = site.weights().projection("v", site.outputs(), site.inputs());
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(shifted.region());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix in = shifted.of(pass, frame, batch, SHIFT, x).getFirst();
      batch.runs().forEach(run -> run.state().changed());
      matrix.apply(pass, in, y);
    }
  }

  /** The type {@code shifted-linear}, without settings. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "shifted-linear";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new ShiftedLinear(site);
    }
  }
}
