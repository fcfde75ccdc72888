package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.List;

/**
 * Choices that neighbouring queries make together, in blocks that begin at multiples of their
 * length. Only whole blocks choose: the last queries of a prompt, and single tokens, visit
 * everything. So a text may be cut at multiples of a block with the same bits, and prompts are.
 */
abstract class QueryBlocks implements KeySelection {

  final int block;
  final Selections.Layer layer;

  QueryBlocks(int block, Selections.Layer layer) {
    this.block = block;
    this.layer = layer;
  }

  /** A block's queries of one key–value head. */
  record Block(Run<KeyValueCache> run, int from, int position, int keyHead) {}

  /** The tiles of a block. */
  abstract List<Tile> choose(Pass pass, int worker, Block block, Matrix q, Heads heads);

  @Override
  public final int grain() {
    return block;
  }

  @Override
  public final List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    List<Tile> tiles = new ArrayList<>();
    List<Block> blocks = new ArrayList<>();
    int keyHeads = heads.keyHeads();
    for (Run<KeyValueCache> run : runs) {
      int first = Math.min(run.length(), Math.floorMod(-run.position(), block));
      int whole = (run.length() - first) / block;
      int end = run.from() + first + whole * block;
      if (end < run.to()) {
        NearKeys.ALL.add(tiles, run.part(end, run.to()), heads, 0, keyHeads);
      }
      for (int from = end - block; from >= run.from() + first; from -= block) {
        for (int head = 0; head < keyHeads; head++) {
          blocks.add(new Block(run, from, run.position() + from - run.from(), head));
        }
      }
      if (first > 0) {
        NearKeys.ALL.add(tiles, run.part(run.from(), run.from() + first), heads, 0, keyHeads);
      }
    }
    List<List<Tile>> chosen = new ArrayList<>(blocks.stream().map(b -> List.<Tile>of()).toList());
    pass.workers()
        .run(
            blocks.size(),
            (i, worker) -> chosen.set(i, choose(pass, worker, blocks.get(i), q, heads)));
    chosen.forEach(tiles::addAll);
    return tiles;
  }
}
