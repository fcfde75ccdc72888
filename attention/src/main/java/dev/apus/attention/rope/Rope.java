package dev.apus.attention.rope;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.rope.Rotary;
import java.util.Arrays;
import java.util.function.Function;

/**
 * Rotary position embedding: for each position, the angles by which pairs of a head's values turn.
 *
 * <p>Every published way of stretching the angles to longer contexts is a rule for the frequencies
 * and a factor on queries and keys. Two of the rules depend on how long a sequence may become; they
 * go by its limit, so that all keys of a sequence are turned alike, however it is cut into calls.
 *
 * @see <a href="https://arxiv.org/abs/2104.09864">RoFormer</a>
 */
public final class Rope {

  /** A cosine takes about as long as so many values of a kernel. */
  private static final int ANGLE_VALUES = 16;

  private final Rotary.Layout layout;
  private final int dims;
  private final float[] frequencies;
  private final float factor;
  private final int hash;

  private Rope(Rotary.Layout layout, int dims, float[] frequencies, float factor) {
    this.layout = layout;
    this.dims = dims;
    this.frequencies = frequencies;
    this.factor = factor;
    this.hash = 31 * Arrays.hashCode(frequencies) + Float.hashCode(factor);
  }

  /**
   * The settings of a layer's rotary embedding, as the architecture document has them.
   *
   * @param dims how many values of a head turn
   * @param attentionFactor factor on turned queries and keys; 0 for what goes with the stretching
   */
  public record Spec(
      Rotary.Layout layout,
      int dims,
      int headDim,
      double theta,
      float attentionFactor,
      Stretching stretching) {

    public static Spec read(Config c, int headDim, int context) {
      int dims = c.positive("dims", headDim);
      if (dims % 2 != 0 || dims > headDim) {
        throw c.error("dims=%d must be even and at most headDim=%d", dims, headDim);
      }
      double theta = c.number("theta", 10_000);
      if (!(theta >= 1)) {
        throw c.error("theta=%s must be at least 1", theta);
      }
      float attentionFactor = c.real("attentionFactor", 0);
      if (attentionFactor < 0) {
        throw c.error("attentionFactor=%s must not be negative", attentionFactor);
      }
      return new Spec(
          c.choice("layout", "halves", "halves", "interleaved").equals("halves")
              ? Rotary.Layout.HALVES
              : Rotary.Layout.INTERLEAVED,
          dims,
          headDim,
          theta,
          attentionFactor,
          Stretching.read(c, theta, dims / 2, context));
    }

    public boolean dependsOnLimit() {
      return stretching instanceof Stretching.Dynamic || stretching instanceof Stretching.LongRope;
    }
  }

  /** The angles of a sequence that will have at most {@code limit} tokens. */
  public static Rope of(Spec spec, int limit) {
    float[] frequencies = Frequencies.of(spec, limit);
    return new Rope(
        spec.layout, 2 * frequencies.length, frequencies, Frequencies.attentionFactor(spec));
  }

  /** The same angles for pairs that lie otherwise. */
  public Rope paired(Rotary.Layout other) {
    return new Rope(other, dims, frequencies, factor);
  }

  /** Values of a head that are turned. */
  int dims() {
    return dims;
  }

  /** The cosines and sines of consecutive positions, {@code dims / 2} for each. */
  public record Tables(float[] cos, float[] sin) {}

  /**
   * @param step from a position to the next
   * @param back whether the angles are those of turning back
   */
  private record TablesKey(Rope rope, int position, int rows, int step, boolean back) {

    // What a record has by itself is interpreted until it has been called some thousand times.

    @Override
    public boolean equals(Object other) {
      return other instanceof TablesKey key
          && position == key.position
          && rows == key.rows
          && step == key.step
          && back == key.back
          && rope.equals(key.rope);
    }

    @Override
    public int hashCode() {
      return 31 * (31 * (31 * rope.hash + position) + rows) + (back ? -step : step);
    }
  }

  /**
   * The tables of a run, which all layers of a pass share that turn by the same angles.
   *
   * <p>Angles are single-precision products, like those of the models' reference implementations:
   * far into a sequence the rounding of the angle is part of what a model was trained with.
   */
  Tables tables(Pass pass, int position, int rows) {
    return tables(pass, position, rows, 1);
  }

  /** The same for positions that are {@code step} apart. */
  private Tables tables(Pass pass, int position, int rows, int step) {
    return pass.once(
        new TablesKey(this, position, rows, step, false),
        () -> {
          Tables tables = new Tables(new float[rows * dims / 2], new float[rows * dims / 2]);
          pass.eachRow(
              rows,
              ANGLE_VALUES * dims,
              (from, to, worker) -> fill(tables, position, step, from, to));
          return tables;
        });
  }

  /** The tables that turn back what {@link #tables(Pass, int, int)} turn. */
  private Tables backTables(Pass pass, int position, int rows) {
    return pass.once(
        new TablesKey(this, position, rows, 1, true),
        () -> {
          Tables tables = tables(pass, position, rows);
          float[] sin = tables.sin.clone();
          for (int i = 0; i < sin.length; i++) {
            sin[i] = -sin[i];
          }
          return new Tables(tables.cos, sin);
        });
  }

  /** The tables of the first positions, for layers whose positions begin again and again. */
  public Tables tables(int rows) {
    Tables tables = new Tables(new float[rows * dims / 2], new float[rows * dims / 2]);
    fill(tables, 0, 1, 0, rows);
    return tables;
  }

  private void fill(Tables tables, int position, int step, int from, int to) {
    int pairs = dims / 2;
    for (int row = from; row < to; row++) {
      for (int i = 0; i < pairs; i++) {
        float angle = (float) (position + row * step) * frequencies[i];
        tables.cos[row * pairs + i] = (float) StrictMath.cos(angle) * factor;
        tables.sin[row * pairs + i] = (float) StrictMath.sin(angle) * factor;
      }
    }
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || other instanceof Rope rope
            && hash == rope.hash
            && layout == rope.layout
            && factor == rope.factor
            && Arrays.equals(frequencies, rope.frequencies);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  /**
   * Turns queries and keys of heads of {@code headDim} values, each by its sequence's angles.
   *
   * @param of the rotation of a sequence, by its state
   * @param k null where the keys have been turned already
   */
  public static <S> void turn(
      Pass pass, Batch<S> batch, Function<S, Rope> of, Matrix q, Matrix k, int headDim) {
    Rotary rotary = pass.kernels().rotary();
    int heads = q.cols() / headDim;
    int keyCols = k == null ? 0 : k.cols();
    for (Run<S> run : batch.runs()) {
      Rope rope = of.apply(run.state());
      Tables tables = rope.tables(pass, run.position(), run.length());
      pass.eachRow(
          run.length(),
          2 * (q.cols() + keyCols),
          (from, to, worker) -> {
            for (int i = from; i < to; i++) {
              int row = run.from() + i;
              rope.rotate(rotary, q.data(), q.at(row), heads, headDim, tables, i);
              if (k != null) {
                rope.rotate(rotary, k.data(), k.at(row), keyCols / headDim, headDim, tables, i);
              }
            }
          });
    }
  }

  /**
   * Turns queries as if those that stand behind a position stood there.
   *
   * @param most the position
   */
  public static <S> void turnAtMost(
      Pass pass, Batch<S> batch, Function<S, Rope> of, Matrix q, int headDim, int most) {
    Rotary rotary = pass.kernels().rotary();
    int heads = q.cols() / headDim;
    for (Run<S> run : batch.runs()) {
      Rope rope = of.apply(run.state());
      Tables tables = rope.tables(pass, run.position(), run.length());
      Tables last = rope.tables(pass, most, 1);
      int near = Math.clamp(most + 1L - run.position(), 0, run.length());
      pass.eachRow(
          run.length(),
          2 * q.cols(),
          (from, to, worker) -> {
            for (int i = from; i < to; i++) {
              int at = q.at(run.from() + i);
              boolean there = i < near;
              rope.rotate(
                  rotary, q.data(), at, heads, headDim, there ? tables : last, there ? i : 0);
            }
          });
    }
  }

  /**
   * Turns the last values of each head, in rows whose positions are {@code step} apart.
   *
   * @param from the first of the rows
   * @param position its position
   */
  public void turnLast(
      Pass pass, Matrix x, int from, int rows, int headDim, int position, int step) {
    turnLast(pass, x, from, rows, headDim, tables(pass, position, rows, step));
  }

  /** Turns the last values of each head back, as it has turned rows at consecutive positions. */
  public void turnLastBack(Pass pass, Matrix x, int from, int rows, int headDim, int position) {
    turnLast(pass, x, from, rows, headDim, backTables(pass, position, rows));
  }

  private void turnLast(Pass pass, Matrix x, int from, int rows, int headDim, Tables tables) {
    Rotary rotary = pass.kernels().rotary();
    pass.eachRow(
        rows,
        2 * x.cols(),
        (first, to, worker) -> {
          for (int i = first; i < to; i++) {
            int at = x.at(from + i) + headDim - dims;
            rotate(rotary, x.data(), at, x.cols() / headDim, headDim, tables, i);
          }
        });
  }

  /** Turns all heads of one row; {@code tableRow} says which row of the tables is its position. */
  public void rotate(
      Rotary kernel, float[] x, int xAt, int heads, int headDim, Tables tables, int tableRow) {
    int at = tableRow * (dims / 2);
    kernel.rotate(layout, x, xAt, heads, headDim, dims, tables.cos, tables.sin, at);
  }
}
