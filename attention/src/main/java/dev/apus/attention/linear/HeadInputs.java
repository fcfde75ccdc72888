package dev.apus.attention.linear;

import dev.apus.attention.linear.FeatureMap.Features;
import dev.apus.attention.rope.Rope;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import java.util.ArrayList;
import java.util.List;

/**
 * The queries, keys and values of a layer's heads:
 *
 * <pre>
 *   q, k, v = f(g(conv(W_qkv x)))      q ← scale · R φ(q)      k ← R φ(k)
 * </pre>
 *
 * <p>with g the function of what was convolved, f another one of all or some of the three, φ a
 * feature map and R a rotation by the position, of which everything may be left out.
 */
final class HeadInputs {

  private final HeadSpec spec;
  private final Projection[] projections;
  private final List<CausalConvolution> convolutions = new ArrayList<>();
  private final FeatureMap queryMap;
  private final FeatureMap keyMap;
  private final Rope rope;

  /** Rows of queries, keys and values. */
  record Rows(Matrix q, Matrix k, Matrix v) {

    private List<Matrix> all() {
      return List.of(q, k, v);
    }
  }

  /** Rows of queries and keys that may meet, and of values. */
  record Mapped(Features q, Features k, Matrix v) {}

  /**
   * @param width values of the rows they are made of
   * @param context the longest sequence the model was made for
   */
  HeadInputs(HeadSpec spec, WeightScope weights, int width, int context) {
    this.spec = spec;
    String[] names = {"q", "k", "v"};
    int[] cols = {
      spec.heads() * spec.keyDim(), spec.kvHeads() * spec.keyDim(), spec.kvHeads() * spec.valueDim()
    };
    this.projections = new Projection[names.length];
    for (int i = 0; i < names.length; i++) {
      projections[i] = weights.projection(names[i], cols[i], width);
      if (spec.convolution() != null) {
        convolutions.add(spec.convolution().build(weights, names[i], cols[i]));
      }
    }
    FeatureSpec features = spec.features();
    this.queryMap =
        features == null ? null : features.ofQueries(spec.heads(), spec.keyDim(), weights);
    this.keyMap =
        features == null
            ? null
            : features.ofKeys(spec.heads(), spec.kvHeads(), spec.keyDim(), weights);
    this.rope = spec.rope() == null ? null : Rope.of(spec.rope(), context);
  }

  /** What a sequence remembers for them. */
  List<Region> regions() {
    return convolutions.stream().map(CausalConvolution::region).toList();
  }

  /**
   * Refuses sequences that the features cannot tell the tokens of.
   *
   * @param limit the most tokens a sequence will have
   */
  void check(int limit) {
    if (keyMap != null && limit > keyMap.longest()) {
      throw new IllegalArgumentException(
          "a sequence of "
              + limit
              + " tokens: the features of this layer tell at most "
              + keyMap.longest()
              + " apart");
    }
  }

  /** Matrices for as many rows. */
  Rows rows(Pass.Frame frame, int rows) {
    return new Rows(
        frame.matrix(rows, projections[0].outputs()),
        frame.matrix(rows, projections[1].outputs()),
        frame.matrix(rows, projections[2].outputs()));
  }

  /** Adds what projects rows to a list. */
  void add(Pass pass, Matrix x, Rows to, List<Divisible> tasks) {
    for (int i = 0; i < projections.length; i++) {
      tasks.add(projections[i].task(pass, x, to.all().get(i)));
    }
  }

  /**
   * Makes what was projected into what meets; the projected rows are overwritten.
   *
   * @param region the first of its {@link #regions} in the states
   */
  Mapped finish(
      Pass pass, Pass.Frame frame, Batch<RecurrentState> batch, int region, Rows projected) {
    for (int i = 0; i < convolutions.size(); i++) {
      Matrix rows = projected.all().get(i);
      convolutions.get(i).apply(pass, batch, region + i, rows, 0);
      Elementwise.apply(pass, spec.convolution().activation(), rows);
    }
    for (int i = 0; i < projections.length; i++) {
      if (spec.isActivated(i)) {
        Elementwise.apply(pass, spec.activation(), projected.all().get(i));
      }
    }
    Features q = features(queryMap, pass, frame, batch, projected.q());
    Features k = features(keyMap, pass, frame, batch, projected.k());
    if (rope != null) {
      Rope.turn(pass, batch, state -> rope, q.values(), k.values(), spec.memoryRows());
    }
    Elementwise.scale(pass, spec.scale(), q.values());
    return new Mapped(q, k, projected.v());
  }

  private static Features features(
      FeatureMap map, Pass pass, Pass.Frame frame, Batch<RecurrentState> batch, Matrix x) {
    return map == null ? new Features(x, null) : map.apply(pass, frame, batch, x);
  }
}
