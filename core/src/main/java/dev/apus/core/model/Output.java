package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.ConfigException;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import java.util.Locale;

/**
 * The last projection of a mixer, {@code o}, which it may leave to a part that reads what several
 * mixers give.
 */
public final class Output {

  private final Projection projection;
  private final int inner;

  private Output(Projection projection, int inner) {
    this.projection = projection;
    this.inner = inner;
  }

  /**
   * @param projected whether there is a projection; without one, the mixer gives its inner rows
   * @param inner values of these rows
   * @throws ConfigException if there is none and rows of another width are needed
   */
  public static Output of(boolean projected, Site site, int inner, boolean biased) {
    if (projected) {
      return new Output(site.weights().projection("o", site.outputs(), inner, biased), inner);
    }
    if (site.outputs() != inner) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "layer %d: projected=false gives rows of %d values, needed are rows of %d",
              site.layer(),
              inner,
              site.outputs()));
    }
    return new Output(null, inner);
  }

  /** Where the mixer puts its inner rows, before {@link #apply}. */
  public Matrix inner(Pass.Frame frame, Matrix y) {
    return projection == null ? y : frame.matrix(y.rows(), inner);
  }

  /** Writes what the mixer gives, of its inner rows. */
  public void apply(Pass pass, Matrix rows, Matrix y) {
    if (projection != null) {
      projection.apply(pass, rows, y);
    }
  }
}
