package dev.apus.moe;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Gating;
import dev.apus.core.model.Mlp;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Experts;
import dev.apus.core.weight.WeightScope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/** The networks of a mixture: blocks of one shape, which answer for some rows each. */
final class Blocks {

  private final List<Mlp> all = new ArrayList<>();
  private final Experts places;
  private final boolean gated;
  private final boolean biased;
  private final Gating gating;
  private final int inner;

  /**
   * @param c {@code experts}, {@code inner}, {@code gated}, {@code expertsBiased} and the settings
   *     of {@link Gating}
   * @param width of the rows that they read and write
   */
  Blocks(Config c, int width, WeightScope weights) {
    int count = c.positive("experts");
    inner = c.positive("inner");
    gated = c.flag("gated", true);
    biased = c.flag("expertsBiased", false);
    gating = gated ? Gating.read(c) : new Gating(Mlp.activation(c));
    if ((long) count * inner > Integer.MAX_VALUE) {
      throw c.error("experts=%d of inner=%d values are more than 2^31 − 1 values", count, inner);
    }
    places = weights.scope("expert").experts(count);
    for (int e = 0; e < count; e++) {
      all.add(block(width, inner, places.expert(e)));
    }
  }

  /** A block of another width inside. */
  Mlp block(int width, int inner, WeightScope weights) {
    return gated
        ? Mlp.gated(gating, width, inner, biased, weights)
        : Mlp.plain(gating.activation(), width, inner, biased, weights);
  }

  int count() {
    return all.size();
  }

  /** Where their weights are. */
  Experts places() {
    return places;
  }

  /** Scratch for the gates of so many rows; null if there are none. */
  Matrix gates(Pass.Frame frame, int rows, int inner) {
    return gated ? frame.matrix(rows, inner) : null;
  }

  /**
   * Adds what experts have to do for their rows, to be done together with other work: first all of
   * {@code first}, then all of {@code second}.
   *
   * @param start the first row of each expert, which is where those of the expert before it end
   * @param given what the experts are asked, overwritten with what they give
   */
  void ask(
      Pass pass,
      Pass.Frame frame,
      IntUnaryOperator start,
      Matrix given,
      List<Divisible> first,
      List<Divisible> second) {
    int rows = start.applyAsInt(all.size());
    Matrix gates = gates(frame, rows, inner);
    Matrix inners = frame.matrix(rows, inner);
    for (int e = 0; e < all.size(); e++) {
      int from = start.applyAsInt(e);
      int to = start.applyAsInt(e + 1);
      if (from < to) {
        first.add(all.get(e).innerTask(pass, given, gates, inners, from, to));
        second.add(all.get(e).outputTask(pass, inners, given, from, to));
      }
    }
  }

  /** The same for all experts, at once. */
  void ask(Pass pass, IntUnaryOperator start, Matrix given) {
    List<Divisible> first = new ArrayList<>();
    List<Divisible> second = new ArrayList<>();
    int[] asked = IntStream.range(0, all.size()).toArray();
    try (Pass.Frame frame = pass.frame();
        var _ = places.use(pass, asked, given.rows())) {
      ask(pass, frame, start, given, first, second);
      pass.run(first.toArray(Divisible[]::new));
      pass.run(second.toArray(Divisible[]::new));
    }
  }
}
