package dev.apus.core.weight;

import dev.apus.core.compute.Workers;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorContent;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;

/**
 * Stores the tensors of a checkpoint in another weight format, a few rows at a time, and keeps
 * account of what that costs.
 */
public final class Requantization {

  /** What tensors are for, by the names that published files give them. */
  public enum Kind {
    EMBEDDING("embed|embd|wte|wpe|token_types"),
    HEAD("lm_head|^output\\.|(^|\\.)head\\."),
    EXPERTS("experts?\\.|_exps|_shexp|block_sparse_moe|shared_mlp"),
    ATTENTION("attn|attention"),
    FEED_FORWARD("mlp|ffn|feed_forward|ffn_"),
    OTHER("");

    private final Pattern names;

    Kind(String names) {
      this.names = Pattern.compile(names);
    }

    static Kind of(String tensor) {
      for (Kind kind : values()) {
        if (kind.names.matcher(tensor).find()) {
          return kind;
        }
      }
      return OTHER;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * What became of the tensors of a kind.
   *
   * @param tensors how many there are
   * @param changed how many of them are in another format now
   * @param before bytes
   * @param after bytes
   * @param error of the changed values, as root mean square, in shares of that of the values; 0 if
   *     none was changed
   */
  public record Account(
      Kind kind, int tensors, int changed, long before, long after, double error) {}

  private static final class Sums {
    private int tensors;
    private int changed;
    private long before;
    private long after;
    private double errors;
    private double squares;

    private synchronized void add(double error, double square) {
      errors += error;
      squares += square;
    }
  }

  private final Quantization rules;
  private final Workers workers;
  private final LongConsumer written;
  private final Map<Kind, Sums> kinds = new EnumMap<>(Kind.class);

  /**
   * @param written is told the bytes of the old file that have been dealt with since it was told
   *     before
   */
  public Requantization(Quantization rules, Workers workers, LongConsumer written) {
    this.rules = rules;
    this.workers = workers;
    this.written = written;
  }

  /** The type that a tensor gets. */
  public String type(StoredTensor tensor) {
    WeightFormat format = rules.formatOf(tensor);
    return format == null ? tensor.type() : format.name();
  }

  /** Counts a tensor that is to be written, and gives its new bytes. */
  public TensorContent content(StoredTensor tensor) {
    Sums sums = kinds.computeIfAbsent(Kind.of(tensor.name()), kind -> new Sums());
    sums.tensors++;
    sums.before += tensor.data().byteSize();
    if (!rules.changes(tensor)) {
      sums.after += tensor.data().byteSize();
      return out -> {
        RowWriter.write(tensor.data(), out);
        done(tensor);
      };
    }
    StoredRows rows = StoredRows.of(tensor);
    WeightFormat format = rules.formatOf(tensor);
    sums.changed++;
    sums.after += rows.rows().size() * format.rowBytes(rows.cols());
    return out -> write(rows, format, sums, tensor, out);
  }

  private void done(StoredTensor tensor) {
    written.accept(tensor.data().byteSize());
    tensor.release();
  }

  private void write(
      StoredRows rows, WeightFormat format, Sums sums, StoredTensor tensor, WritableByteChannel out)
      throws IOException {
    try {
      new RowWriter(workers, (values, to, data, at) -> measure(values, to, data, at, sums))
          .write(
              rows.rows().size(),
              rows.cols(),
              format,
              (row, values) -> rows.decode(row, values, 0),
              out);
    } catch (IllegalArgumentException e) {
      throw new WeightException(
          rows.source() + " cannot be stored as " + format + ": " + e.getMessage());
    }
    done(tensor);
  }

  private static void measure(
      float[] values, WeightFormat format, MemorySegment data, long at, Sums sums) {
    float[] stored = new float[values.length];
    format.codec().decode(data, at, stored, 0, values.length);
    double errors = 0;
    double squares = 0;
    for (int i = 0; i < values.length; i++) {
      double error = (double) stored[i] - values[i];
      errors += error * error;
      squares += (double) values[i] * values[i];
    }
    sums.add(errors, squares);
  }

  /** What became of the tensors, after all have been written. */
  public List<Account> accounts() {
    List<Account> accounts = new ArrayList<>();
    kinds.forEach(
        (kind, sums) ->
            accounts.add(
                new Account(
                    kind,
                    sums.tensors,
                    sums.changed,
                    sums.before,
                    sums.after,
                    sums.squares == 0 ? 0 : Math.sqrt(sums.errors / sums.squares))));
    return accounts;
  }
}
