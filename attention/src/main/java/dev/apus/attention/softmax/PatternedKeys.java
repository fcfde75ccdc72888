package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/**
 * Keys that follow from where a query stands.
 *
 * @param patterns which pattern the rows of a run have
 * @param reach of all of them
 * @param isByHead whether any differs from head to head
 */
record PatternedKeys(
    Function<Run<KeyValueCache>, KeyPattern> patterns, Reach reach, boolean isByHead)
    implements KeySelection {

  /** One pattern for all texts. */
  PatternedKeys(KeyPattern pattern) {
    this(run -> pattern, pattern.reach(), pattern.isByHead());
  }

  @Override
  public boolean looksAhead() {
    return true;
  }

  @Override
  public List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      KeyPattern pattern = patterns.apply(run);
      int slots =
          run.visibility() == Visibility.BIDIRECTIONAL
              ? run.position() + run.length()
              : run.state().length();
      var text = new KeyPattern.Text(slots, run.visibility() == Visibility.CAUSAL);
      int tileRows = Tile.rows(isByHead ? 1 : heads.group());
      int end = run.position() + run.length();
      for (int from = run.position(), to; from < end; from = to) {
        to = Math.min(Math.min(end, from + tileRows), pattern.alike(from, text));
        add(run, from, to, pattern, text, heads, tiles);
      }
    }
    // The last rows of a causal text have the most to do.
    Collections.reverse(tiles);
    return tiles;
  }

  private void add(
      Run<KeyValueCache> run,
      int from,
      int to,
      KeyPattern pattern,
      KeyPattern.Text text,
      Heads heads,
      List<Tile> tiles) {
    int row = run.from() + from - run.position();
    if (isByHead) {
      for (int head = 0; head < heads.keyHeads() * heads.group(); head++) {
        List<Visited> visits = pattern.visits(from, to, head, text);
        if (!visits.isEmpty()) {
          Visited[] own = visits.toArray(Visited[]::new);
          tiles.add(Tile.of(run, row, to - from, head, 1, head / heads.group(), own));
        }
      }
      return;
    }
    List<Visited> visits = pattern.visits(from, to, 0, text);
    for (int head = 0; !visits.isEmpty() && head < heads.keyHeads(); head++) {
      tiles.add(Tile.ofGroup(run, row, to - from, head, heads, visits.toArray(Visited[]::new)));
    }
  }
}
