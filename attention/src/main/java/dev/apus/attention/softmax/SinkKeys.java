package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.List;

/**
 * StreamingLLM: the first tokens of a text, which softmax uses as a sink for weight that belongs
 * nowhere, and the last ones. Tokens before {@code sinks + window} see everything, with the bits of
 * full attention.
 *
 * <p>As published, positions are those in the cache, where the first tokens and the last ones are
 * neighbours. Among the last ones that changes no distance. For the first ones, the query is turned
 * to position {@code sinks + window − 1} at most, so that they are never farther away than the
 * model has seen in training.
 *
 * @param sinks how many of the first tokens every token sees
 * @param window how many tokens back a token sees, itself included
 * @param placed whether the distance to the first tokens is that in the cache, and not in the text
 * @see <a href="https://arxiv.org/abs/2309.17453">StreamingLLM</a>
 */
record SinkKeys(int sinks, int window, boolean placed) implements KeySelection {

  static Selections.Maker read(Config c) {
    boolean placed = c.choice("positions", "cache", "cache", "text").equals("cache");
    SinkKeys keys = read(c, placed);
    return layer -> {
      if (placed && layer.biases().slopes() != null) {
        throw c.error(
            "select.positions=cache turns queries, and layer %d tells distances by ALiBi; say"
                + " positions=text",
            layer.index());
      }
      return keys;
    };
  }

  static SinkKeys read(Config c, boolean placed) {
    int sinks = c.count("sinks", 4);
    int window = c.positive("window", 1024);
    if ((long) sinks + window > Integer.MAX_VALUE) {
      throw c.error("select.sinks=%d and window=%d are too many", sinks, window);
    }
    return new SinkKeys(sinks, window, placed);
  }

  @Override
  public Reach reach() {
    return new Reach(window, sinks);
  }

  @Override
  public int farPosition() {
    return placed && sinks > 0 ? sinks + window - 1 : -1;
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
    // Where a row's keys are one visit or two must not depend on the rows beside it.
    int early = Math.clamp(sinks + window - run.position(), 0, run.length());
    int cut = run.from() + early;
    if (cut < run.to()) {
      Run<KeyValueCache> late = run.part(cut, run.to());
      List<Tile> some = new ArrayList<>();
      new NearKeys(window, sinks).add(some, late, heads, fromHead, toHead);
      some.forEach(tile -> tiles.add(placed ? tile.asFar() : tile));
    }
    if (early > 0) {
      NearKeys.ALL.add(tiles, run.part(run.from(), cut), heads, fromHead, toHead);
    }
  }
}
