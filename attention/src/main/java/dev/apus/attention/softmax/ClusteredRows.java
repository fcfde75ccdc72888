package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The clusters of a text that have any of some tokens, one behind the other, and those tokens once
 * for each of their clusters.
 *
 * @param members the token at each slot
 * @param askers the slot of each row
 * @param rows what each visits
 * @param first the first of the tokens
 */
record ClusteredRows(int[] members, int[] askers, List<OthersTiles.Row> rows, int first) {

  /**
   * @param clusters the tokens of each, ascending
   * @param first of the tokens that ask
   * @param end after the last of them
   * @param causal whether they see only what comes before them
   */
  static ClusteredRows of(int[][] clusters, int first, int end, boolean causal) {
    List<int[]> asked = new ArrayList<>();
    List<OthersTiles.Row> rows = new ArrayList<>();
    List<Integer> askers = new ArrayList<>();
    int at = 0;
    for (int[] members : clusters) {
      int next = Arrays.binarySearch(members, first);
      int from = next < 0 ? -next - 1 : next;
      if (from == members.length || members[from] >= end) {
        continue;
      }
      for (int i = from; i < members.length && members[i] < end; i++) {
        Visited others =
            new SlotRanges()
                .add(at, at + i)
                .add(at + i + 1, causal ? 0 : at + members.length)
                .visited(Integer.MAX_VALUE, false, 0);
        rows.add(
            others == null
                ? OthersTiles.Row.alone(rows.size(), 0, 1)
                : OthersTiles.Row.of(rows.size(), 0, List.of(others)));
        askers.add(at + i);
      }
      asked.add(members);
      at = Math.addExact(at, members.length);
    }
    int[] all = asked.stream().flatMapToInt(Arrays::stream).toArray();
    int[] slots = askers.stream().mapToInt(Integer::intValue).toArray();
    return new ClusteredRows(all, slots, rows, first);
  }

  int slots() {
    return members.length;
  }

  /** Reads the keys and values of the members. */
  void gather(Pass pass, KeyValueCache cache, int head, Matrix keys, Matrix values) {
    Attention kernel = cache.layout().kernel();
    int dim = keys.cols();
    pass.eachRow(
        members.length,
        2 * dim,
        (from, to, worker) -> {
          for (int i = from; i < to; i++) {
            int token = members[i];
            Piece piece = cache.stored(head).piece(token / Attention.SPAN);
            kernel.loadKeys(piece.keys(), piece.keysAt(), dim, token, keys.data(), keys.at(i));
            kernel.loadValues(
                piece.values(), piece.valuesAt(), dim, token, values.data(), values.at(i));
          }
        });
  }

  /**
   * Copies the queries of the rows.
   *
   * @param shift the row of a pass that token 0 has, or would have
   */
  void collect(Matrix q, int shift, int column, Matrix asking) {
    for (int i = 0; i < askers.length; i++) {
      int at = q.at(members[askers[i]] + shift) + column;
      System.arraycopy(q.data(), at, asking.data(), asking.at(i), asking.cols());
    }
  }

  /** Copies the rows' own values. */
  void collectOwn(Matrix values, Matrix own) {
    for (int i = 0; i < askers.length; i++) {
      System.arraycopy(values.data(), values.at(askers[i]), own.data(), own.at(i), own.cols());
    }
  }

  /**
   * Writes the mean of what each token got in its clusters.
   *
   * @param to the row of the first token
   * @param count of the tokens
   */
  void average(Matrix answers, int to, int count, int column, Matrix o) {
    int dim = answers.cols();
    int[] times = new int[count];
    for (int i = 0; i < count; i++) {
      int at = o.at(to + i) + column;
      Arrays.fill(o.data(), at, at + dim, 0);
    }
    for (int i = 0; i < askers.length; i++) {
      int token = members[askers[i]] - first;
      int at = o.at(to + token) + column;
      for (int d = 0; d < dim; d++) {
        o.data()[at + d] += answers.data()[answers.at(i) + d];
      }
      times[token]++;
    }
    for (int i = 0; i < count; i++) {
      int at = o.at(to + i) + column;
      for (int d = 0; d < dim && times[i] > 1; d++) {
        o.data()[at + d] /= times[i];
      }
    }
  }
}
