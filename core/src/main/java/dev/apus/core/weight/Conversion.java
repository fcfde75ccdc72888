package dev.apus.core.weight;

import dev.apus.core.file.StoredTensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;

/**
 * How the tensors a file stores become the one weight that a mixer's formula names.
 *
 * <p>A conversion moves rows and changes values. Those made here also know the way back, by which
 * weights that are ours become tensors as a file stores them.
 */
@FunctionalInterface
public interface Conversion {

  /** One tensor, as it is. */
  Conversion AS_STORED = new RowConversions.AsStored();

  /** {@code −e^x}: state-space decays are stored as logarithms. */
  Conversion MINUS_EXP = values(x -> (float) -StrictMath.exp(x), x -> (float) StrictMath.log(-x));

  /** {@code 1 + x}: norms whose weights are stored as the distance from one. */
  Conversion PLUS_ONE = values(x -> 1 + x, x -> x - 1);

  /** {@code 1 − x}: shares that are stored as what is left. */
  Conversion FROM_ONE = values(x -> 1 - x, x -> 1 - x);

  /** {@code x − 1}: undoes a converter that has added the one. */
  Conversion MINUS_ONE = values(x -> x - 1, x -> 1 + x);

  /**
   * BitNet's: −m, 0 or m, whichever is nearest to the value, where m is the mean magnitude of all
   * of the tensor's. To go back, values stay as they are: what is read is made of the file's
   * tensor.
   *
   * @see <a href="https://arxiv.org/abs/2402.17764">The Era of 1-bit LLMs</a>
   */
  Conversion TERNARY = new RowConversions.Ternary();

  /**
   * Rows as columns: the weights of GPT-2's {@code Conv1D}. A bias, one value a row, stays as it
   * is.
   */
  Conversion TRANSPOSED = new RowConversions.Transposed(Integer.MAX_VALUE, Integer.MAX_VALUE);

  /** All rows of the tensors, one tensor after the other; to go back it needs {@link #joined}. */
  Conversion JOINED = RowConversions::join;

  StoredRows apply(List<StoredRows> stored);

  /**
   * What it makes of tensors as they lie in their file, some of which may hold no rows of values.
   *
   * @param open gives the rows of a tensor that does
   */
  default StoredRows read(List<StoredTensor> tensors, Function<StoredTensor, StoredRows> open) {
    return apply(tensors.stream().map(open).toList());
  }

  /**
   * Where a row is stored.
   *
   * @param tensor which of the tensors
   * @param row its row there, or the first of the rows in which its values lie one below the other
   * @param column the column in which they do; {@link #NONE} for a whole row
   */
  record Origin(int tensor, int row, int column) {

    /** Not a column. */
    static final int NONE = -1;

    /** A whole row. */
    Origin(int tensor, int row) {
      this(tensor, row, NONE);
    }
  }

  /**
   * Where each row of what this conversion gives is stored.
   *
   * @param stored the same for each tensor's own rows
   * @throws WeightException if this conversion does not know
   */
  default IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
    throw new WeightException("its conversion has no way back");
  }

  /** The stored value of which this makes {@code x}. */
  default float stored(float x) {
    return x;
  }

  /** Whether values are moved and never changed, so that {@link #stored} gives what it is given. */
  default boolean movesOnly() {
    return false;
  }

  /** This conversion, then another on its result. */
  default Conversion then(Conversion next) {
    return new RowConversions.Chain(this, next);
  }

  /** {@code count} rows from row {@code from}. */
  static Conversion rows(int from, int count) {
    return gather(count, row -> from + row);
  }

  /** {@code count} rows, of which row {@code r} is the stored row {@code from.applyAsInt(r)}. */
  static Conversion gather(int count, IntUnaryOperator from) {
    return new RowConversions.Gather(count, from);
  }

  /**
   * Rows that lie as {@code groups} groups of {@code stride} rows: of each group the {@code count}
   * rows from {@code from}.
   */
  static Conversion ofEachGroup(int groups, int stride, int from, int count) {
    return gather(groups * count, row -> row / count * stride + from + row % count);
  }

  /**
   * Rows that lie as groups of {@code rows} rows of {@code cols} values: the columns of each group
   * as rows, group after group.
   */
  static Conversion transposed(int rows, int cols) {
    return new RowConversions.Transposed(rows, cols);
  }

  /** All rows of several tensors, which have so many each, one tensor after the other. */
  static Conversion joined(int... rows) {
    return new RowConversions.Joined(List.copyOf(Arrays.stream(rows).boxed().toList()));
  }

  /**
   * {@code count} rows, {@code step} apart, of an MXFP4 matrix whose blocks lie in one tensor of
   * bytes and whose exponents in another, as in Hugging Face's files. It has no way back.
   *
   * @param from the first row, counted over all matrices in the tensors
   */
  static Conversion mxfp4(int from, int count, int step) {
    return new PackedMxfp4(from, count, step);
  }

  /** Every value times a factor, which is not 0; the result is F32. */
  static Conversion scaled(float factor) {
    return values(x -> x * factor, x -> x / factor);
  }

  /** A function of every value, without a way back; the result is F32. */
  static Conversion values(FloatFunction f) {
    return stored -> RowConversions.values(stored.getFirst(), f);
  }

  /** A function of every value, and the one that undoes it; the result is F32. */
  static Conversion values(FloatFunction f, FloatFunction undo) {
    return new RowConversions.Values(f, undo);
  }

  /** A function of one value. */
  @FunctionalInterface
  interface FloatFunction {
    float of(float x);
  }
}
