package dev.apus.core.weight;

import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Stores a checkpoint's matrices in another weight format, each under the name that it has.
 *
 * <p>Only what a token's whole row passes through is worth it: vectors, the taps of convolutions
 * and the small matrices that choose experts stay as they are, because they take little memory and
 * their errors weigh much.
 *
 * @param format of the matrices
 * @param kept tensors whose name has a match stay as they are
 */
public record Quantization(WeightFormat format, Pattern kept) {

  /**
   * Routers and gates of experts and the weights of an index's heads, by the names that published
   * checkpoints give them.
   */
  public static final Pattern ROUTERS =
      Pattern.compile(
          "(^|\\.)(router|gate|shared_expert_gate|(ffn_)?gate_inp\\w*|weights_proj|indexer\\.proj)"
              + "(\\.|$)");

  /**
   * What else is small and weighs much, should a format have rows as short as its: norms of several
   * heads, taps of convolutions, decays and steps of state spaces, what RWKV shifts tokens by.
   */
  public static final Pattern SMALL =
      Pattern.compile(
          "norm|conv1d|shortconv|(^|\\.)conv\\.conv|A_log|ssm_a($|\\.)|ssm_d($|\\.)|\\.D$|dt_bias"
              + "|ssm_dt\\.bias|time_(mix|maa|decay|first|faaaa)|(^|\\.)x_[rwkvag]$");

  /** What stays as it is unless somebody says otherwise. */
  public static final Pattern KEPT = Pattern.compile(ROUTERS + "|" + SMALL);

  /** Whether {@link #apply} changes a tensor. */
  public boolean changes(StoredTensor tensor) {
    WeightFormat to = formatOf(tensor);
    return to != null && !tensor.type().equals(to.name());
  }

  /**
   * The format that a tensor gets: the format, or Q8_0 for rows that divide into blocks of 32 and
   * not into its own of 256; null if it is to stay as it is.
   */
  public WeightFormat formatOf(StoredTensor tensor) {
    return formatOf(tensor.name(), tensor.shape());
  }

  /** The same for a tensor of this name and shape. */
  WeightFormat formatOf(String name, List<Long> shape) {
    if (shape.size() < 2 || shape.getLast() < 1 || kept.matcher(name).find()) {
      return null;
    }
    return Stream.of(format, format.blockLength() > 1 ? WeightFormat.Q8_0 : format)
        .filter(some -> shape.getLast() % some.blockLength() == 0)
        .findFirst()
        .orElse(null);
  }

  /**
   * The tensor in the new format, or the tensor itself if it is to stay as it is.
   *
   * @param arena where the new values lie
   * @throws WeightException if a value has no place in the format, such as NaN
   * @throws dev.apus.core.file.FormatException if the tensor's own type cannot be computed with
   */
  public StoredTensor apply(StoredTensor tensor, Arena arena) {
    if (!changes(tensor)) {
      return tensor;
    }
    WeightFormat to = formatOf(tensor);
    StoredRows rows = StoredRows.of(tensor);
    long rowBytes = to.rowBytes(rows.cols());
    MemorySegment data = arena.allocate(rowBytes * rows.rows().size(), 64);
    float[] values = new float[rows.cols()];
    for (int row = 0; row < rows.rows().size(); row++) {
      rows.decode(row, values, 0);
      try {
        to.codec().encode(values, 0, data, row * rowBytes, values.length);
      } catch (IllegalArgumentException e) {
        throw new WeightException(
            String.format(
                Locale.ROOT,
                "%s: row %d cannot be stored as %s: %s",
                rows.source(),
                row,
                to,
                e.getMessage()));
      }
    }
    return new StoredTensor(tensor.file(), tensor.name(), to.name(), tensor.shape(), data);
  }

  /** All tensors of a file, changed or not. */
  public List<StoredTensor> apply(TensorFile file, Arena arena) {
    return file.tensors().values().stream().map(tensor -> apply(tensor, arena)).toList();
  }
}
