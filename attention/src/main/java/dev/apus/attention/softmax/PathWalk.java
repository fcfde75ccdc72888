package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.activation.Activations;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Stored;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How the queries of {@link PathAttention} walk back over what their caches hold, some rows of a
 * head at a time, so that a slot is decoded once for all of them.
 */
final class PathWalk {

  private static final int TILE_ROWS = 8;

  /** Slots that are decoded at a time. */
  private static final int BLOCK = 64;

  private final PathSpec spec;
  private final Attention kernel;
  private final Activations activations;

  PathWalk(PathSpec spec, Attention kernel, Activations activations) {
    this.spec = spec;
    this.kernel = kernel;
    this.activations = activations;
  }

  /**
   * Some rows of a run.
   *
   * @param position of the first
   */
  private record Tile(Stored stored, int head, int from, int rows, int position) {

    int end() {
      return position + rows;
    }
  }

  /** Writes what the queries in {@code q}, whose keys are in the caches already, make of them. */
  void attend(Pass pass, Batch<KeyValueCache> batch, Matrix q, Matrix o) {
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : batch.runs()) {
      for (int row = 0; row < run.length(); row += TILE_ROWS) {
        int rows = Math.min(TILE_ROWS, run.length() - row);
        for (int head = 0; head < spec.kvHeads(); head++) {
          Stored stored = run.state().stored(head);
          tiles.add(new Tile(stored, head, run.from() + row, rows, run.position() + row));
        }
      }
    }
    pass.workers()
        .run(tiles.size(), (i, worker) -> new Work(tiles.get(i), pass, worker, q, o).run());
  }

  /** One tile: its queries on their way, the scores of each, and the slots of a block. */
  private final class Work {

    private final Tile tile;
    private final Matrix q;
    private final Matrix o;
    private final int dim = spec.headDim();
    private final int group = spec.group();
    private final int queries;
    private final float[] scratch;
    private final int scoresAt;
    private final int blockAt;

    Work(Tile tile, Pass pass, int worker, Matrix q, Matrix o) {
      this.tile = tile;
      this.q = q;
      this.o = o;
      this.queries = tile.rows() * group;
      this.scoresAt = queries * dim;
      this.blockAt = scoresAt + Math.multiplyExact(queries, tile.end());
      this.scratch = pass.scratch(worker, Math.addExact(blockAt, BLOCK * spec.keptDim()));
    }

    private int own(int query) {
      return tile.position() + query / group;
    }

    /** Where the head of a query begins in a matrix of queries or results. */
    private int at(Matrix matrix, int query) {
      return matrix.at(tile.from() + query / group) + (tile.head() * group + query % group) * dim;
    }

    private int scoreAt(int query) {
      return scoresAt + query * tile.end();
    }

    void run() {
      for (int i = 0; i < queries; i++) {
        System.arraycopy(q.data(), at(q, i), scratch, i * dim, dim);
      }
      for (int block = (tile.end() - 1) / BLOCK * BLOCK; block >= 0; block -= BLOCK) {
        load(block);
        for (int i = 0; i < queries; i++) {
          goBack(i, block);
        }
      }
      for (int i = 0; i < queries; i++) {
        activations.softmax(scratch, scoreAt(i), own(i) + 1);
        Arrays.fill(o.data(), at(o, i), at(o, i) + dim, 0);
      }
      for (int block = 0; block < tile.end(); block += BLOCK) {
        load(block);
        for (int i = 0; i < queries; i++) {
          for (int slot = block; slot < Math.min(block + BLOCK, own(i) + 1); slot++) {
            float weight = scratch[scoreAt(i) + slot];
            activations.addScaled(
                weight, scratch, keptAt(block, slot) + 2 * dim, o.data(), at(o, i), dim);
          }
        }
      }
    }

    private int keptAt(int block, int slot) {
      return blockAt + (slot - block) * spec.keptDim();
    }

    private void load(int block) {
      Piece piece = tile.stored().piece(block / Attention.SPAN);
      for (int slot = block; slot < Math.min(block + BLOCK, tile.end()); slot++) {
        kernel.loadValues(
            piece.values(), piece.valuesAt(), spec.keptDim(), slot, scratch, keptAt(block, slot));
      }
    }

    /** Takes a query from where it has come to the beginning of a block. */
    private void goBack(int query, int block) {
      int own = own(query);
      Piece piece = tile.stored().piece(block / Attention.SPAN);
      int head = query % group;
      double level =
          spec.forgets() ? tile.stored().piece(own / Attention.SPAN).levels().level(head, own) : 0;
      int at = query * dim;
      for (int slot = Math.min(block + BLOCK - 1, own); slot >= block; slot--) {
        int keyAt = keptAt(block, slot);
        float score = spec.scale() * activations.dot(scratch, at, scratch, keyAt, dim);
        if (spec.forgets()) {
          score += (float) (level - piece.levels().level(head, slot));
        }
        scratch[scoreAt(query) + slot] = score;
        float along = activations.dot(scratch, at, scratch, keyAt + dim, dim);
        activations.addScaled(-along, scratch, keyAt + dim, scratch, at, dim);
      }
    }
  }
}
