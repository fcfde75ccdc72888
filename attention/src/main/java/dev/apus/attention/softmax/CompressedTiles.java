package dev.apus.attention.softmax;

import static dev.apus.kernels.attention.Attention.SPAN;

import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Tiles that visit entries and the tokens of a window, as if the spans of the window came after
 * those of the entries. A row's bits do not depend on the rows beside it: its spans are cut where
 * those of the caches are, and follow each other in one order.
 *
 * @param traits of values that are the keys, too
 * @param rate tokens of an entry; 0 if there are none
 */
record CompressedTiles(Attention kernel, Traits traits, int heads, int window, int rate) {

  /**
   * The queries of all rows in tiles: rows by themselves where they have chosen, several of one
   * block where they have not.
   *
   * @param chosen what rows have chosen; null if they visit all entries
   */
  List<Tile> tiles(Batch<CompressedCache> batch, ChosenSlots chosen) {
    List<Run<KeyValueCache>> tokens = batch.map(CompressedCache::tokens).runs();
    int most = 0;
    for (Run<CompressedCache> run : batch.runs()) {
      most = Math.max(most, run.state().entries().length());
    }
    int unchosen = chosen == null ? most : Math.min(most, chosen.top());
    int[] inOrder = IntStream.range(0, unchosen).toArray();
    List<Tile> tiles = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      Run<KeyValueCache> run = tokens.get(i);
      Stored far = batch.runs().get(i).state().entries().stored(0);
      for (int end = run.to(), from; end > run.from(); end = from) {
        int position = run.position() + end - 1 - run.from();
        int[] slots = chosen == null ? null : chosen.slots()[end - 1];
        int entries = rate == 0 ? 0 : (position + 1) / rate;
        // Rows before the one that completes a block see fewer entries.
        int block = rate == 0 ? Integer.MAX_VALUE : (position + 1) % rate + 1;
        int rows = slots != null ? 1 : Math.min(Tile.rows(heads), block);
        from = Math.max(run.from(), end - rows);
        tiles.add(
            slots == null
                ? tile(run, from, end, far, inOrder, entries)
                : tile(run, from, end, far, slots, chosen.top()));
      }
    }
    return tiles;
  }

  /**
   * @param far where the entries are
   * @param slots of those that are visited
   */
  private Tile tile(
      Run<KeyValueCache> run, int from, int end, Stored far, int[] slots, int entries) {
    int position = run.position() + from - run.from();
    int first = Math.max(0, position - window + 1);
    int base = first / SPAN * SPAN;
    int spans = Math.ceilDiv(entries, SPAN);
    int shift = spans * SPAN - base;
    int last = position + end - from;
    Visited near = Tile.visited(first + shift, last + shift, true, window);
    Visited[] visits =
        entries == 0
            ? new Visited[] {near}
            : new Visited[] {Tile.visited(0, entries, false, 0), near};
    var farKeys = GatheredKeys.ofRows(kernel, traits, far, slots, entries);
    Stored tokens = run.state().stored(0);
    int[] order = IntStream.range(base, last).toArray();
    var nearKeys = GatheredKeys.ofRows(kernel, traits, tokens, order, last - base);
    return Tile.of(run, from, end - from, 0, heads, 0, visits)
        .reading(
            (pass, worker) -> {
              Stored before = farKeys.stored(pass, worker);
              Stored after = nearKeys.stored(pass, worker);
              return span ->
                  span < spans ? before.piece(span) : moved(after.piece(span - spans), spans);
            },
            position + shift);
  }

  /** A piece whose slots count from so many spans further on. */
  private Piece moved(Piece piece, int spans) {
    int dim = traits.headDim();
    return new Piece(
        piece.keys(),
        piece.keysAt() - kernel.keyBytes(dim, spans * SPAN),
        piece.values(),
        piece.valuesAt() - kernel.valueBytes(dim, spans * SPAN));
  }
}
