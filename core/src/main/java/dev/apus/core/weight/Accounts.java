package dev.apus.core.weight;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Keeps account of what becomes of tensors that are written in other formats, and of the errors.
 */
public final class Accounts {

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

  /** The sums of a kind; it is told what becomes of each row. */
  static final class Sums implements RowWriter.Listener {
    private int tensors;
    private int changed;
    private long before;
    private long after;
    private double errors;
    private double squares;

    @Override
    public void encoded(float[] values, WeightFormat format, MemorySegment data, long at) {
      float[] stored = new float[values.length];
      format.codec().decode(data, at, stored, 0, values.length);
      double error = 0;
      double square = 0;
      for (int i = 0; i < values.length; i++) {
        double difference = (double) stored[i] - values[i];
        error += difference * difference;
        square += (double) values[i] * values[i];
      }
      add(error, square);
    }

    private synchronized void add(double error, double square) {
      errors += error;
      squares += square;
    }
  }

  private final Map<Kind, Sums> kinds = new EnumMap<>(Kind.class);

  /** No accounts yet. */
  public Accounts() {}

  /**
   * Counts a tensor that is to be written, and gives what is to be told of its rows if they change.
   *
   * @param before bytes that it takes
   * @param after bytes that it will take
   */
  Sums count(String tensor, boolean changes, long before, long after) {
    Sums sums = kinds.computeIfAbsent(Kind.of(tensor), kind -> new Sums());
    sums.tensors++;
    sums.changed += changes ? 1 : 0;
    sums.before += before;
    sums.after += after;
    return sums;
  }

  /** What became of the tensors, after all have been written. */
  public List<Account> list() {
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
