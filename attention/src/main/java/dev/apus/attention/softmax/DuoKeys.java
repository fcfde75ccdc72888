package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * DuoAttention: key–value heads that find things again see everything, all others the first tokens
 * and the last ones. Which are which is given: it was found by training, and is true of a model.
 *
 * @param full the heads that see everything
 * @param others what all others see
 * @see <a href="https://arxiv.org/abs/2410.10819">DuoAttention</a>
 */
record DuoKeys(BitSet full, SinkKeys others) implements KeySelection {

  /**
   * The heads are written {@code layer/head}, or {@code layer/*}, joined by {@code +}; or a file
   * has scores of them.
   */
  static Selections.Maker read(Config c) {
    SinkKeys others = SinkKeys.read(c, false);
    if (c.has("file")) {
      if (c.has("full")) {
        throw c.errorAt("full", "select.full and select.file both name heads; one is enough");
      }
      HeadScores scores = HeadScores.read(c);
      return layer -> new DuoKeys(scores.full(c, layer), others);
    }
    List<int[]> heads = new ArrayList<>();
    for (String head : c.word("full").split("\\+", -1)) {
      if (!head.matches("[0-9]{1,6}/([0-9]{1,6}|\\*)")) {
        throw c.errorAt("full", "select.full: \"%s\" is not LAYER/HEAD or LAYER/*", head);
      }
      String[] parts = head.split("/");
      int index = parts[1].equals("*") ? -1 : Integer.parseInt(parts[1]);
      heads.add(new int[] {Integer.parseInt(parts[0]), index});
    }
    return layer -> new DuoKeys(full(c, heads, layer), others);
  }

  private static BitSet full(Config c, List<int[]> heads, Selections.Layer layer) {
    var full = new BitSet();
    int count = layer.heads().keyHeads();
    for (int[] head : heads) {
      if (head[0] >= layer.layers()) {
        throw c.errorAt(
            "full",
            "select.full names layer %d; the model has layers 0 to %d",
            head[0],
            layer.layers() - 1);
      }
      if (head[0] == layer.index()) {
        if (head[1] >= count) {
          throw c.errorAt(
              "full",
              "select.full: %d/%d; layer %d has %d heads of keys and values",
              head[0],
              head[1],
              head[0],
              count);
        }
        full.set(Math.max(0, head[1]), head[1] < 0 ? count : head[1] + 1);
      }
    }
    return full;
  }

  @Override
  public List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    List<Tile> tiles = new ArrayList<>();
    for (boolean all : new boolean[] {true, false}) {
      for (Run<KeyValueCache> run : runs) {
        for (int head = 0; head < heads.keyHeads(); head++) {
          if (all && full.get(head)) {
            NearKeys.ALL.add(tiles, run, heads, head, head + 1);
          } else if (!all && !full.get(head)) {
            others.add(tiles, run, heads, head, head + 1);
          }
        }
      }
    }
    return tiles;
  }
}
