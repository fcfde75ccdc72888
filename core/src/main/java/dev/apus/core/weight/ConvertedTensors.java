package dev.apus.core.weight;

import dev.apus.core.compute.Workers;
import dev.apus.core.weight.RandomTensors.Made;
import dev.apus.core.weight.StoredLayout.Tensor;
import dev.apus.core.weight.WeightList.Wanted;
import dev.apus.kernels.block.WeightFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The weights of a checkpoint as the tensors of one with other names, shapes and values: the same
 * model in the words of another format.
 */
public final class ConvertedTensors {

  /** Weights that are kept open: those of one tensor follow each other. */
  private static final int OPEN = 64;

  private final WeightSource source;
  private final Workers workers;
  private final Map<WeightSource.Key, StoredRows> open =
      new LinkedHashMap<>(OPEN, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<WeightSource.Key, StoredRows> eldest) {
          return size() > OPEN;
        }
      };

  /**
   * @param source the checkpoint's weights
   */
  public ConvertedTensors(WeightSource source, Workers workers) {
    this.source = source;
    this.workers = workers;
  }

  /**
   * The tensors under a family's names. Vectors and routers are F32; what stays in its format keeps
   * its bytes.
   *
   * @param list the model's weights
   * @param rules the formats of matrices; null for the one that each has
   * @param accounts is told what becomes of the tensors
   * @throws WeightException if the family's table of names has no way back
   */
  public List<Made> of(WeightList list, WeightNames names, Quantization rules, Accounts accounts) {
    var weights =
        new TensorMaker.Weights() {

          @Override
          public void read(Wanted of, int row, float[] values) {
            rows(of).decode(row, values, 0);
          }

          @Override
          public StoredRows stored(Wanted of) {
            return rows(of);
          }
        };
    return new TensorMaker(weights, workers, accounts)
        .of(list, names, tensor -> formatOf(tensor, rules));
  }

  private WeightFormat formatOf(Tensor tensor, Quantization rules) {
    WeightFormat wanted = rules == null ? null : rules.formatOf(tensor.name(), tensor.shape());
    return wanted == null ? formatOf(tensor) : wanted;
  }

  private synchronized StoredRows rows(Wanted of) {
    return open.computeIfAbsent(
        of.key(), key -> source.find(key, of.rows(), of.cols(), of.typical()));
  }

  /** The format of all its rows, if they have one, and are rows there. */
  private WeightFormat formatOf(Tensor tensor) {
    Set<WeightFormat> formats =
        Stream.concat(
                tensor.rows().stream().filter(row -> row != null).map(StoredLayout.Row::of),
                tensor.columns().stream().map(column -> column.row().of()))
            .distinct()
            .map(of -> rows(of).format())
            .collect(Collectors.toSet());
    WeightFormat only = formats.size() == 1 ? formats.iterator().next() : WeightFormat.F32;
    return tensor.columns().isEmpty() || only.blockLength() == 1 ? only : WeightFormat.F32;
  }
}
