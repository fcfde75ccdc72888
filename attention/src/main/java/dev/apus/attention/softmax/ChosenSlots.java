package dev.apus.attention.softmax;

import dev.apus.core.model.Run;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Traits;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The slots that each row of a pass attends to, which are the same ones in every layer that follows
 * the one which chose.
 *
 * @param top how many slots a row attends to that sees more
 * @param slots of each row in ascending order; null for a row that attends to all it sees
 */
record ChosenSlots(int top, int[][] slots) {

  /**
   * The queries of some runs in tiles: a row by itself where it has chosen, several where they have
   * not. What is read is gathered in either case, because the caches hold rows.
   *
   * @param traits of the attention
   * @param heads that share what a row has chosen
   */
  List<Tile> tiles(Attention kernel, Traits traits, List<Run<KeyValueCache>> runs, int heads) {
    int[] all = {};
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      var rows = run.state().stored(0);
      for (int end = run.to(); end > run.from(); ) {
        int[] chosen = slots[end - 1];
        if (chosen != null) {
          end--;
          Tile tile = Tile.of(run, end, 1, 0, heads, 0, Tile.visited(0, top, true, 0));
          tiles.add(tile.reading(GatheredKeys.ofRows(kernel, traits, rows, chosen, top), top - 1));
          continue;
        }
        int from = Math.max(run.from(), end - Tile.rows(heads));
        int seen = run.position() + end - run.from();
        all = all.length < seen ? IntStream.range(0, seen).toArray() : all;
        Tile tile = Tile.of(run, from, end - from, 0, heads, 0, Tile.visited(0, seen, true, 0));
        tiles.add(
            tile.reading(GatheredKeys.ofRows(kernel, traits, rows, all, seen), tile.position()));
        end = from;
      }
    }
    return tiles;
  }
}
