package dev.apus.core.weight;

import dev.apus.core.compute.Workers;
import dev.apus.core.file.TensorContent;
import dev.apus.kernels.block.WeightFormat;
import java.util.List;

/**
 * The weights that {@link RandomWeights} draws from a seed, as the tensors of a checkpoint: a model
 * that is opened from them has the weights of a model made from the seed.
 *
 * <p>Rows are drawn when a file is written, a few at a time and by all threads, so that a model may
 * be larger than the memory.
 */
public final class RandomTensors {

  /**
   * A tensor to be written.
   *
   * @param shape outermost dimension first
   * @param matrix whether rows of activations are multiplied with it
   */
  public record Made(
      String name, List<Long> shape, WeightFormat format, boolean matrix, TensorContent content) {}

  private final RandomWeights weights;
  private final Workers workers;

  public RandomTensors(long seed, Workers workers) {
    this.weights = new RandomWeights(seed, WeightFormat.F32);
    this.workers = workers;
  }

  /**
   * The tensors that hold a model's weights under a family's names, with their matrices in a
   * format. Vectors, routers and rows that do not divide into blocks are F32.
   *
   * @throws WeightException if the family's table of names has no way back
   */
  public List<Made> of(WeightList list, WeightNames names, WeightFormat format) {
    TensorMaker.Weights drawn =
        (of, row, values) -> weights.draw(of.key(), row, of.typical(), values);
    return new TensorMaker(drawn, workers, null).of(list, names, tensor -> format);
  }
}
