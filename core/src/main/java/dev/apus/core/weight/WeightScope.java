package dev.apus.core.weight;

/**
 * The weights of one part of a model, under that part's own short names.
 *
 * <p>Every call states the shape it needs, so a wrong file fails where the weight is named.
 */
public interface WeightScope {

  /**
   * A matrix that maps {@code inputs} values to {@code outputs}, with its bias if {@code biased}.
   *
   * @throws WeightException if it is missing or has another shape
   */
  Projection projection(String name, int outputs, int inputs, boolean biased);

  default Projection projection(String name, int outputs, int inputs) {
    return projection(name, outputs, inputs, false);
  }

  /** As many projections of one shape as {@code count} says, whose rows are one weight. */
  Projection[] projections(String name, int count, int outputs, int inputs);

  /**
   * A matrix that is computed when a model is made, such as one of random numbers from a seed, and
   * that no checkpoint holds.
   *
   * @param rows {@code outputs} rows of {@code inputs} values
   */
  Projection computed(float[] rows, int outputs, int inputs);

  /**
   * {@code length} values as floats.
   *
   * @param typical where random values lie when a model is made without a checkpoint
   */
  float[] vector(String name, int length, Typical typical);

  /** A small matrix as floats, row by row. */
  float[] table(String name, int rows, int cols, Typical typical);

  /**
   * Whole numbers from 0 to below {@code bound}, row by row.
   *
   * @throws WeightException if a value is none of these
   */
  int[] indices(String name, int rows, int cols, int bound);

  /** Rows that are looked up one at a time. */
  RowTable lookup(String name, int rows, int cols);

  /** The weights of a part of this part. */
  WeightScope scope(String name);

  /** The weights that a part has for itself even where it uses another layer's. */
  WeightScope own();

  /** The weights that all layers with a part of this kind have together, outside the layers. */
  WeightScope common();

  /** The weights of expert {@code index} of this part, or of whatever else it has several of. */
  WeightScope expert(int index);

  /** The weights of experts {@code 0 … count − 1}, of which only some need be in memory. */
  Experts experts(int count);

  /**
   * A range that random weights are drawn from: {@code center ± width}.
   *
   * @param whole whether they are rounded down to whole numbers
   */
  record Typical(float center, float width, boolean whole) {
    public static final Typical NORM = new Typical(1, 0.2f);
    public static final Typical BIAS = new Typical(0, 0.1f);

    public Typical(float center, float width) {
      this(center, width, false);
    }

    /** Any of the whole numbers from 0 to below {@code bound}. */
    static Typical index(int bound) {
      return new Typical(bound / 2f, bound / 2f, true);
    }

    /** The value at {@code place} of the range, which is from −1 to below 1. */
    double at(double place) {
      double value = center + width * place;
      return whole ? Math.floor(value) : value;
    }
  }
}
