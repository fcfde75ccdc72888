package dev.apus.attention.softmax;

import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.List;

/**
 * What the last token of a sequence sees of those before it, each round sorted by itself as a ring.
 *
 * @param tokens that it sees, those of each round one behind the other, itself among them
 */
record NearHashes(HashSpec spec, int position, int[] tokens) {

  static NearHashes of(HashSpec spec, TokenNumbers hashes, int head, int position) {
    int view = spec.view();
    int[] tokens = new int[spec.rounds() * view];
    for (int round = 0; round < spec.rounds(); round++) {
      int[] order = SortedText.order(hashes, head * spec.rounds() + round, position + 1);
      int rank = 0;
      while (order[rank] != position) {
        rank++;
      }
      int first = (rank / spec.chunk() - spec.before()) * spec.chunk();
      for (int i = 0; i < view; i++) {
        tokens[round * view + i] = order[Math.floorMod(first + i, order.length)];
      }
    }
    return new NearHashes(spec, position, tokens);
  }

  /** Copies the keys and values of these tokens to their columns. */
  void gather(KeyValueCache cache, int head, Matrix keys, Matrix values) {
    int dim = spec.headDim();
    Attention kernel = cache.layout().kernel();
    for (int i = 0; i < tokens.length; i++) {
      Piece piece = cache.stored(head).piece(tokens[i] / Attention.SPAN);
      int keyAt = keys.at(i) + head * dim;
      kernel.loadKeys(piece.keys(), piece.keysAt(), dim, tokens[i], keys.data(), keyAt);
      int valueAt = values.at(i) + head * dim;
      kernel.loadValues(piece.values(), piece.valuesAt(), dim, tokens[i], values.data(), valueAt);
    }
  }

  OthersTiles.Row row(int row, int head) {
    var others = new SlotRanges();
    int[] own = new int[spec.rounds()];
    for (int i = 0; i < tokens.length; i++) {
      if (tokens[i] == position) {
        own[i / spec.view()]++;
      } else {
        others.add(i, i + 1);
      }
    }
    Visited visited = others.visited(tokens.length, false, 0);
    return visited == null
        ? OthersTiles.Row.alone(row, head, OthersTiles.ownFactor(own))
        : OthersTiles.Row.of(row, head, List.of(visited));
  }
}
