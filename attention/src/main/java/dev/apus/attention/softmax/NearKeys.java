package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.List;

/**
 * All keys that a row sees, or those of a window and of the first tokens.
 *
 * @param window how many tokens back a token sees, itself included, and as many ahead where it
 *     looks ahead; 0 for all
 * @param pinned how many of the first tokens every token sees, whatever its window
 * @see <a href="https://arxiv.org/abs/2309.17453">StreamingLLM</a>
 */
record NearKeys(int window, int pinned) implements KeySelection {

  /** Every key that a row sees. */
  static final NearKeys ALL = new NearKeys(0, 0);

  @Override
  public Reach reach() {
    return window == 0 ? Reach.ALL : new Reach(window, pinned);
  }

  @Override
  public boolean looksAhead() {
    return true;
  }

  @Override
  public boolean seesTogether() {
    return true;
  }

  @Override
  public boolean isByPosition() {
    return true;
  }

  @Override
  public List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      add(tiles, run, heads, 0, heads.keyHeads());
    }
    return tiles;
  }

  /** Adds the tiles of one run with the key–value heads {@code [fromHead, toHead)}. */
  void add(List<Tile> tiles, Run<KeyValueCache> run, Heads heads, int fromHead, int toHead) {
    int tileRows = Tile.rows(heads.group());
    // The last rows have the most to do: whoever is free at the end should find little left.
    for (int end = run.to(); end > run.from(); end -= tileRows) {
      int from = Math.max(run.from(), end - tileRows);
      Visited[] visits = visits(run, from, end);
      Tile.addGroups(tiles, run, from, end - from, fromHead, toHead, heads, visits);
    }
  }

  private Visited[] visits(Run<KeyValueCache> run, int from, int end) {
    if (run.visibility() == Visibility.TOGETHER) {
      return together(run);
    }
    boolean causal = run.visibility() == Visibility.CAUSAL;
    int seen =
        run.visibility() == Visibility.BIDIRECTIONAL
            ? run.position() + run.length()
            : run.state().length();
    int position = run.state().slot(run.position()) + from - run.from();
    int after = position + end - from;
    int first = window == 0 ? 0 : Math.max(0, position - window + 1);
    int endSlot = causal ? after : endSlot(seen, after);
    int pinnedEnd = Math.min(pinned, causal ? endSlot : seen);
    int firstSlot = Math.max(pinnedEnd, first);
    Visited near = Tile.visited(firstSlot, endSlot, causal, window);
    return pinnedEnd == 0
        ? new Visited[] {near}
        : new Visited[] {Tile.visited(0, pinnedEnd, causal, 0), near};
  }

  /** What the first row of a run sees before it, and the run. */
  private Visited[] together(Run<KeyValueCache> run) {
    int position = run.state().slot(run.position());
    int first = window == 0 ? 0 : Math.max(0, position - window + 1);
    int pinnedEnd = Math.min(pinned, first);
    int[] slots = {0, pinnedEnd, first, position + run.length()};
    return new Visited[] {
      pinnedEnd == 0
          ? Tile.visited(first, position + run.length(), false, 0)
          : new Visited(slots, 2, false, 0)
    };
  }

  /** The slot after the last that rows before {@code end} see, which look ahead. */
  private int endSlot(int seen, int end) {
    long reach = window == 0 ? seen : end - 1L + window;
    return (int) Math.min(seen, reach);
  }
}
