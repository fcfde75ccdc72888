package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.List;

/**
 * The summaries of all blocks that have become whole when a row comes, its own slot included: tiles
 * of the cache in which the summaries of a run's cache stand.
 *
 * @param block slots of a block
 */
record WholeBlocks(int block) implements KeySelection {

  @Override
  public List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    int tileRows = Tile.rows(heads.group());
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      Run<KeyValueCache> blocks =
          new Run<>(run.state().summaries(), run.from(), run.to(), run.position());
      for (int end = run.to(); end > run.from(); ) {
        int position = run.position() + end - 1 - run.from();
        int whole = whole(position);
        // Rows of a tile see the same blocks, and so no position hides any.
        int sameFrom = end - (position - Math.max(0, whole * block - 1)) - 1;
        int from = Math.max(Math.max(run.from(), sameFrom), end - tileRows);
        Visited visited = Tile.visited(0, whole, false, 0);
        for (int head = 0; head < heads.keyHeads(); head++) {
          tiles.add(Tile.ofGroup(blocks, from, end - from, head, heads, visited));
        }
        end = from;
      }
    }
    return tiles;
  }

  /** How many blocks are whole when the token at a position has come. */
  int whole(int position) {
    return (position + 1) / block;
  }
}
