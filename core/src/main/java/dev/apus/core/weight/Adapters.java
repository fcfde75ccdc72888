package dev.apus.core.weight;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.List;

/**
 * Low-rank additions to projections that read the same rows: {@code yₖ ← yₖ + Bₖ Aₖ x}. A layer
 * that uses the projections of another has these for itself.
 *
 * @see <a href="https://arxiv.org/abs/2106.09685">LoRA</a>
 */
public final class Adapters {

  private final List<Projection> downs = new ArrayList<>();
  private final List<Projection> ups = new ArrayList<>();
  private final WeightScope weights;
  private final int inputs;
  private final int rank;

  private Adapters(WeightScope weights, int inputs, int rank) {
    this.weights = weights.own();
    this.inputs = inputs;
    this.rank = rank;
  }

  /**
   * Adapters without a projection yet; null if the rank is 0.
   *
   * @param weights of the part, of which its own are taken
   */
  public static Adapters of(WeightScope weights, int inputs, int rank) {
    return rank == 0 ? null : new Adapters(weights, inputs, rank);
  }

  /** The next projection's, with the weights {@code name.adapter.down} and {@code …up}. */
  public Adapters to(String name, int outputs) {
    downs.add(weights.projection(name + ".adapter.down", rank, inputs));
    ups.add(weights.projection(name + ".adapter.up", outputs, rank));
    return this;
  }

  /** Those of several projections with one {@code A}, which is {@code adapter.down}. */
  public Adapters toEach(int outputs, String... names) {
    Projection down = weights.projection("adapter.down", rank, inputs);
    for (String name : names) {
      downs.add(down);
      ups.add(weights.projection(name + ".adapter.up", outputs, rank));
    }
    return this;
  }

  /** Adds to what the projections gave, in the order in which they were named. */
  public void add(Pass pass, Matrix x, Matrix... ys) {
    int rows = x.rows();
    try (Pass.Frame frame = pass.frame()) {
      List<Divisible> tasks = new ArrayList<>();
      List<Matrix> inner = new ArrayList<>();
      for (int i = 0; i < ys.length; i++) {
        if (i > 0 && downs.get(i) == downs.get(i - 1)) {
          inner.add(inner.getLast());
        } else {
          inner.add(frame.matrix(rows, rank));
          tasks.add(downs.get(i).task(pass, x, inner.getLast()));
        }
      }
      pass.run(tasks.toArray(Divisible[]::new));
      tasks.clear();
      List<Matrix> added = new ArrayList<>();
      for (int i = 0; i < ys.length; i++) {
        added.add(frame.matrix(rows, ys[i].cols()));
        tasks.add(ups.get(i).task(pass, inner.get(i), added.getLast()));
      }
      pass.run(tasks.toArray(Divisible[]::new));
      for (int i = 0; i < ys.length; i++) {
        add(pass, added.get(i), ys[i]);
      }
    }
  }

  private static void add(Pass pass, Matrix x, Matrix y) {
    int cols = y.cols();
    pass.eachRow(
        y.rows(),
        cols,
        (from, to, worker) ->
            pass.kernels()
                .activations()
                .addScaled(1, x.data(), from * cols, y.data(), from * cols, (to - from) * cols));
  }
}
