package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.List;

/**
 * MInference's vertical and slash pattern: the last {@value #ASKED} queries of a block say which
 * single keys, and which distances, get the most weight of a head; all queries of the block visit
 * these keys, and the keys at these distances.
 *
 * <p>As published, the first {@value #FIRST} keys and the last {@value #NEAR} distances are always
 * among those chosen, and queries visit a distance in tiles of {@value #TILE}: each sees what is at
 * this distance from any of them. The paper estimates once for a whole prompt; here a prompt is
 * read in blocks, and each has its own estimate.
 *
 * @see QueryBlocks
 * @see <a href="https://arxiv.org/abs/2407.02490">MInference</a>
 */
final class VerticalSlash extends QueryBlocks {

  private static final int ASKED = 64;
  private static final int TILE = 64;
  private static final int FIRST = 30;
  private static final int NEAR = 100;

  private final int vertical;
  private final int slash;
  private final Weighing weighing;

  private VerticalSlash(int block, int vertical, int slash, Selections.Layer layer) {
    super(block, layer);
    this.vertical = vertical;
    this.slash = slash;
    this.weighing = new Weighing(layer);
  }

  static Selections.Maker read(Config c) {
    int block = c.positive("block", 512);
    int vertical = c.positive("vertical", 1000);
    int slash = c.positive("slash", 6096);
    if (block % TILE != 0) {
      throw c.errorAt("block", "select.block=%d must be a multiple of %d", block, TILE);
    }
    return layer -> {
      layer.requireProducts(c);
      return new VerticalSlash(block, vertical, slash, layer);
    };
  }

  @Override
  List<Tile> choose(Pass pass, int worker, Block rows, Matrix q, Heads heads) {
    List<Tile> tiles = new ArrayList<>();
    for (int head = 0; head < heads.group(); head++) {
      choose(pass, worker, rows, q, rows.keyHead() * heads.group() + head, tiles);
    }
    return tiles;
  }

  private void choose(Pass pass, int worker, Block rows, Matrix q, int head, List<Tile> tiles) {
    int end = rows.position() + block;
    int first = end - ASKED;
    float[] verticals = new float[end];
    float[] slashes = new float[end];
    int at = q.at(rows.from() + block - ASKED) + head * layer.traits().headDim();
    Queries last = new Queries(q.data(), at, q.cols(), ASKED, 1, first);
    Visited all = Tile.visited(0, end, true, 0);
    weighing.read(
        pass,
        worker,
        new Weighing.Asked(rows.run().state(), last, head, all, end),
        (query, slot, weights, weightsAt) -> {
          int seen = Math.min(Attention.SPAN, first + query + 1 - slot);
          for (int i = 0; i < seen; i++) {
            verticals[slot + i] += weights[weightsAt + i];
            slashes[first + query - slot - i] += weights[weightsAt + i];
          }
        });
    for (int i = 0; i < Math.min(FIRST, end); i++) {
      verticals[i] = Float.POSITIVE_INFINITY;
    }
    for (int i = 0; i < Math.min(NEAR, end); i++) {
      slashes[i] = Float.POSITIVE_INFINITY;
    }
    int[] keys = TopSlots.of(verticals, 0, end, vertical);
    int[] distances = TopSlots.of(slashes, 0, end, slash);
    for (int i = 0; i < block; i += TILE) {
      Visited visited = visited(keys, distances, rows.position() + i);
      tiles.add(Tile.of(rows.run(), rows.from() + i, TILE, head, 1, rows.keyHead(), visited));
    }
  }

  /** What the queries from a position on visit. */
  private static Visited visited(int[] keys, int[] distances, int position) {
    var ranges = new SlotRanges();
    int key = 0;
    // The farthest come first, so that slots ascend.
    for (int i = distances.length - 1; i >= 0; i--) {
      int from = Math.max(0, position - distances[i]);
      int end = position - distances[i] + TILE;
      for (; key < keys.length && keys[key] < from; key++) {
        ranges.add(keys[key], keys[key] + 1);
      }
      ranges.add(from, end);
    }
    return ranges.visited(position + TILE, true, 0);
  }
}
