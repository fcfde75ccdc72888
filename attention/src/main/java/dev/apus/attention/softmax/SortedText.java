package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The tokens of a text as each round sorts them for one head, one round behind the other. */
final class SortedText {

  private final HashSpec spec;
  private final int length;
  private final boolean causal;
  private final int padded;

  /** The token at each slot; −1 where none is. */
  private final int[] tokens;

  /** The slot of each token in each round, {@code [round][token]}. */
  private final int[] slots;

  SortedText(HashSpec spec, int length, boolean causal) {
    this.spec = spec;
    this.length = length;
    this.causal = causal;
    this.padded = spec.padding().length(length);
    this.tokens = new int[Math.multiplyExact(spec.rounds(), padded)];
    this.slots = new int[Math.multiplyExact(spec.rounds(), length)];
  }

  int slots() {
    return tokens.length;
  }

  /** Sorts by the hashes of a head; equal ones keep their order. */
  void sort(TokenNumbers hashes, int head) {
    Arrays.fill(tokens, -1);
    for (int round = 0; round < spec.rounds(); round++) {
      int[] order = order(hashes, head * spec.rounds() + round, length);
      for (int rank = 0; rank < length; rank++) {
        int slot = round * padded + rank;
        tokens[slot] = order[rank];
        slots[round * length + order[rank]] = slot;
      }
    }
  }

  /** The first {@code count} tokens, sorted by one of their hashes. */
  static int[] order(TokenNumbers hashes, int which, int count) {
    long[] pairs = new long[count];
    for (int token = 0; token < count; token++) {
      pairs[token] = (long) hashes.number(token, which) << Integer.SIZE | token;
    }
    Arrays.sort(pairs);
    return Arrays.stream(pairs).mapToInt(pair -> (int) pair).toArray();
  }

  /** Copies some columns of the tokens' rows into the order of the slots. */
  void gather(Pass pass, Matrix x, int from, int column, Matrix sorted) {
    int cols = sorted.cols();
    pass.eachRow(
        tokens.length,
        cols,
        (first, end, worker) -> {
          for (int slot = first; slot < end; slot++) {
            int to = sorted.at(slot);
            if (tokens[slot] < 0) {
              Arrays.fill(sorted.data(), to, to + cols, 0);
            } else {
              int at = x.at(from + tokens[slot]) + column;
              System.arraycopy(x.data(), at, sorted.data(), to, cols);
            }
          }
        });
  }

  /** What a token visits, whose row of the pass is {@code row}. */
  OthersTiles.Row row(int token, int row, int head) {
    List<Visited> visits = new ArrayList<>();
    int[] own = new int[spec.rounds()];
    int chunks = tokens.length / spec.chunk();
    for (int round = 0; round < spec.rounds(); round++) {
      int chunk = slots[round * length + token] / spec.chunk();
      for (int other = chunk - spec.before(); other <= chunk + spec.after(); other++) {
        int first = Math.floorMod(other, chunks) * spec.chunk();
        var ranges = new SlotRanges();
        for (int slot = first; slot < first + spec.chunk(); slot++) {
          own[round] += tokens[slot] == token ? 1 : 0;
          if (isSeen(tokens[slot], token)) {
            ranges.add(slot, slot + 1);
          }
        }
        Visited visited = ranges.visited(tokens.length, false, 0);
        if (visited != null) {
          visits.add(visited);
        }
      }
    }
    return visits.isEmpty()
        ? OthersTiles.Row.alone(row, head, OthersTiles.ownFactor(own))
        : OthersTiles.Row.of(row, head, visits);
  }

  private boolean isSeen(int key, int query) {
    return key >= 0 && key != query && (!causal || key < query);
  }
}
