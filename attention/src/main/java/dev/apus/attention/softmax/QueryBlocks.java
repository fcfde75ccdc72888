package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.List;

/**
 * Choices that neighbouring queries make together, in blocks that are counted from where a run
 * begins. Only whole blocks choose: the last queries of a prompt, and single tokens, visit
 * everything. So a run may be cut at multiples of a block with the same bits, and prompts are.
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
      int whole = run.length() / block * block;
      if (whole < run.length()) {
        NearKeys.ALL.add(tiles, run.part(run.from() + whole, run.to()), heads, 0, keyHeads);
      }
      for (int row = whole - block; row >= 0; row -= block) {
        for (int head = 0; head < keyHeads; head++) {
          blocks.add(new Block(run, run.from() + row, run.position() + row, head));
        }
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
