package dev.apus.attention.softmax;

import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention of single query heads of rows to slots that were chosen for each, where keys are made
 * of the queries: a token that sees no other gets its own value.
 */
final class OthersTiles {

  /**
   * What a row visits with one of its heads.
   *
   * @param row of the pass
   * @param visits none if it is alone
   * @param own factor on its own value, which it gets if it is alone
   */
  record Row(int row, int head, Visited[] visits, float own) {

    static Row of(int row, int head, List<Visited> visits) {
      return new Row(row, head, visits.toArray(Visited[]::new), 1);
    }

    static Row alone(int row, int head, float own) {
      return new Row(row, head, new Visited[0], own);
    }
  }

  private final CacheLayout one;
  private final CacheLayout all;
  private final AttentionTiles tiles;
  private final int headDim;

  /**
   * @param scale factor on products
   */
  OthersTiles(Attention kernel, int heads, int headDim, double scale) {
    this.headDim = headDim;
    this.one = new CacheLayout(kernel, 1, headDim, headDim);
    this.all = new CacheLayout(kernel, heads, headDim, headDim);
    var traits = new Traits(headDim, headDim, (float) scale, 0);
    var biases = new Biases(null, null, 0);
    this.tiles = new AttentionTiles(kernel, traits, new Heads(heads, 1), NearKeys.ALL, biases);
  }

  /** Room for keys and values in an order of their own, of one head or of all. */
  KeyValueCache cache(int heads, int slots) {
    return new KeyValueCache(heads == 1 ? one : all, slots, null);
  }

  /**
   * Writes what rows make of the slots that they visit.
   *
   * @param keyHead the head of the cache that they read; below 0 for each its own
   * @param v the values of the rows
   * @return how many keys they visit
   */
  long attend(
      Pass pass, KeyValueCache cache, List<Row> rows, int keyHead, Matrix q, Matrix v, Matrix o) {
    List<Tile> some = new ArrayList<>();
    long visited = 0;
    for (Row row : rows) {
      if (row.visits.length == 0) {
        int at = o.at(row.row) + row.head * headDim;
        for (int i = at; i < at + headDim; i++) {
          o.data()[i] = row.own * v.data()[i];
        }
      } else {
        var run = new Run<>(cache, row.row, row.row + 1, 0, Visibility.SURROUNDED);
        int key = keyHead < 0 ? row.head : keyHead;
        Tile tile = Tile.of(run, row.row, 1, row.head, 1, key, row.visits);
        some.add(tile);
        visited += tile.visitsOf(run).visited();
      }
    }
    tiles.attendTiles(pass, some, q, q, o);
    return visited;
  }

  /**
   * The factor on the value of a token that sees itself alone. It is 1, but for how a reference
   * rounds it that gives tokens themselves scores of −100000, in single precision.
   *
   * @param counts how often it sees itself in each round
   */
  static float ownFactor(int[] counts) {
    float self = -1e5f;
    float[] logits = new float[counts.length];
    float most = Float.NEGATIVE_INFINITY;
    for (int round = 0; round < counts.length; round++) {
      logits[round] = self + (float) StrictMath.log(counts[round]);
      most = Math.max(most, logits[round]);
    }
    float sum = 0;
    for (float logit : logits) {
      sum += (float) StrictMath.exp(logit - most);
    }
    float all = counts.length == 1 ? logits[0] : most + (float) StrictMath.log(sum);
    float factor = 0;
    for (int round = 0; round < counts.length; round++) {
      float own = counts[round] * (float) StrictMath.exp(self - logits[round]);
      factor += own * (float) StrictMath.exp(logits[round] - all);
    }
    return factor;
  }
}
