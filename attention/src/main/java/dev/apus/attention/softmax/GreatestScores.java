package dev.apus.attention.softmax;

import static dev.apus.kernels.attention.Attention.SPAN;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention.Levels;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.PriorityQueue;

/**
 * For each key head, the keys of the tokens so far that have the greatest scores; of equal ones the
 * earlier. The scores are those that caches keep of tokens.
 *
 * @param keep how many
 */
record GreatestScores(int keep) implements KeySelection {

  @Override
  public List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    List<Tile> tiles = new ArrayList<>();
    List<Run<KeyValueCache>> all = new ArrayList<>();
    List<Run<KeyValueCache>> some = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      int free = Math.clamp(keep - run.position(), 0, run.length());
      int middle = run.from() + free;
      if (free > 0) {
        all.add(new Run<>(run.state(), run.from(), middle, run.position()));
      }
      if (middle < run.to()) {
        some.add(new Run<>(run.state(), middle, run.to(), run.position() + free));
      }
    }
    Tile[][] chosen = new Tile[some.size() * heads.keyHeads()][];
    pass.workers()
        .run(
            chosen.length,
            (part, worker) -> {
              Run<KeyValueCache> run = some.get(part / heads.keyHeads());
              chosen[part] = chosen(run, part % heads.keyHeads(), heads);
            });
    for (Tile[] ofHead : chosen) {
      tiles.addAll(List.of(ofHead));
    }
    tiles.addAll(NearKeys.ALL.tiles(pass, all, q, heads));
    return tiles;
  }

  /** A tile for each row. */
  private Tile[] chosen(Run<KeyValueCache> run, int head, Heads heads) {
    float[] scores = scores(run.state(), head, run.position() + run.length());
    PriorityQueue<Integer> worstFirst =
        new PriorityQueue<>(
            (a, b) -> {
              int order = Float.compare(scores[a], scores[b]);
              return order == 0 ? Integer.compare(b, a) : order;
            });
    BitSet kept = new BitSet(scores.length);
    Tile[] tiles = new Tile[run.length()];
    for (int slot = 0; slot < scores.length; slot++) {
      kept.set(slot);
      worstFirst.add(slot);
      if (worstFirst.size() > keep) {
        kept.clear(worstFirst.remove());
      }
      int row = slot - run.position();
      if (row >= 0) {
        tiles[row] = Tile.ofGroup(run, run.from() + row, 1, head, heads, visited(kept));
      }
    }
    return tiles;
  }

  private static float[] scores(KeyValueCache cache, int head, int slots) {
    float[] scores = new float[slots];
    Levels levels = null;
    for (int slot = 0; slot < slots; slot++) {
      if (slot % SPAN == 0) {
        levels = cache.stored(head).piece(slot / SPAN).levels();
      }
      // What is added to a score lies in the cache as what is taken away.
      scores[slot] = -levels.sum(0, slot);
    }
    return scores;
  }

  private Visited visited(BitSet kept) {
    int[] ranges = new int[2 * keep];
    int count = 0;
    for (int from = kept.nextSetBit(0); from >= 0; count++) {
      int to = kept.nextClearBit(from);
      ranges[2 * count] = from;
      ranges[2 * count + 1] = to;
      from = kept.nextSetBit(to);
    }
    return new Visited(ranges, count, true, 0);
  }
}
