package dev.apus.attention.softmax;

import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The blocks that a row's query heads together give the greatest weights when they attend to
 * summaries, which is done here as well. Its own block, the one before it and the first are always
 * among them, in this order if there is no room for all.
 *
 * @param block slots of a block
 * @param top how many blocks a row visits at most
 * @param dim values of a query
 * @param weighing of queries and summaries
 */
record ChosenBlocks(int block, int top, int dim, Weighing weighing) {

  /** Rows that see the summaries of the same blocks. */
  private record Part(Run<KeyValueCache> run, Tile tile) {}

  /**
   * Attends to summaries, and chooses by the weights.
   *
   * @param o receives what the summaries give
   * @return tiles of the blocks that have been chosen
   */
  List<Tile> attend(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads, Matrix o) {
    var whole = new WholeBlocks(block);
    List<Part> parts = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      List<Tile> tiles = whole.tiles(pass, List.of(run), q, heads);
      AttentionTiles.count(List.of(run), tiles);
      tiles.forEach(tile -> parts.add(new Part(run, tile)));
    }
    Tile[][] chosen = new Tile[parts.size()][];
    pass.workers()
        .run(
            chosen.length,
            (i, worker) -> chosen[i] = choose(pass, worker, parts.get(i), q, heads, o));
    return Arrays.stream(chosen).flatMap(Arrays::stream).toList();
  }

  private Tile[] choose(Pass pass, int worker, Part part, Matrix q, Heads heads, Matrix o) {
    Tile tile = part.tile;
    int keyHead = tile.head() / heads.group();
    int count = tile.visits()[0].ranges()[1];
    float[] weights = new float[tile.rows() * count];
    if (count > 0) {
      int at = q.at(tile.from()) + tile.head() * dim;
      var queries = new Queries(q.data(), at, q.cols(), tile.rows(), tile.heads(), tile.position());
      KeyValueCache summaries = part.run.state().summaries();
      var asked = new Weighing.Asked(summaries, queries, tile.head(), tile.visits()[0], count);
      var sums = Weighing.sums(asked, tile.heads(), weights, 0);
      weighing.attend(pass, worker, asked, o, tile.from(), sums);
    } else {
      for (int row = tile.from(); row < tile.from() + tile.rows(); row++) {
        int at = o.at(row) + tile.head() * dim;
        Arrays.fill(o.data(), at, at + tile.heads() * dim, 0);
      }
    }
    Tile[] tiles = new Tile[tile.rows()];
    for (int i = 0; i < tiles.length; i++) {
      int row = tile.from() + i;
      int[] ranges = ranges(part.run.position() + row - part.run.from(), weights, i * count);
      var visited = new Visited(ranges, ranges.length / 2, true, 0);
      tiles[i] = Tile.ofGroup(part.run, row, 1, keyHead, heads, visited);
    }
    return tiles;
  }

  /**
   * The slots of the blocks that a row visits, up to its own.
   *
   * @param weights of the blocks before, from {@code at} on
   */
  private int[] ranges(int position, float[] weights, int at) {
    int own = position / block;
    boolean previous = own > 0 && top > 1;
    boolean first = own > 1 && top > 2;
    int others = Math.max(0, top - 3);
    int between = Math.max(0, own - 2);
    int[] found = TopSlots.of(weights, at + 1, between, others);
    int count = found.length + 1 + (previous ? 1 : 0) + (first ? 1 : 0);
    int[] ranges = new int[2 * count];
    int i = 0;
    if (first) {
      i = put(0, ranges, i);
    }
    for (int index : found) {
      i = put(index + 1, ranges, i);
    }
    if (previous) {
      i = put(own - 1, ranges, i);
    }
    ranges[2 * i] = own * block;
    ranges[2 * i + 1] = position + 1;
    return ranges;
  }

  private int put(int index, int[] ranges, int i) {
    ranges[2 * i] = index * block;
    ranges[2 * i + 1] = (index + 1) * block;
    return i + 1;
  }
}
