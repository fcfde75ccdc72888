package dev.apus.attention.softmax;

import static dev.apus.kernels.attention.Attention.SPAN;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.List;

/**
 * Shares the attention of a batch's queries to their caches out: in tiles of rows, or in spans of
 * these where there are few.
 */
final class AttentionTiles {

  /** Queries of a tile: enough to pay for decoding keys and values, few enough for a cache. */
  private static final int TILE_QUERIES = 128;

  /** Rows of a tile: more would score too many keys that the first of them do not see. */
  private static final int MOST_TILE_ROWS = 64;

  /** Parts for each thread that share work out well; with fewer tiles, spans are shared out. */
  private static final int ENOUGH_PARTS = 4;

  /** Memory that the results of single spans may take. */
  private static final int MOST_PART_FLOATS = 1 << 22;

  private final Attention kernel;
  private final Traits traits;
  private final int kvHeads;
  private final int group;
  private final boolean causal;
  private final int window;
  private final Biases biases;

  /**
   * @param group query heads that share a key–value head
   * @param window how many tokens back a token sees, itself included; 0 for all
   * @param biases of all query heads
   */
  AttentionTiles(
      Attention kernel,
      Traits traits,
      int kvHeads,
      int group,
      boolean causal,
      int window,
      Biases biases) {
    this.kernel = kernel;
    this.traits = traits;
    this.kvHeads = kvHeads;
    this.group = group;
    this.causal = causal;
    this.window = window;
    this.biases = biases;
  }

  /**
   * One run's rows {@code [from, from + rows)} of the batch, for all query heads of a key–value
   * head.
   *
   * @param position of the first row
   * @param firstSlot that some row sees
   * @param endSlot the slot after the last that some row sees
   */
  private record Tile(
      KeyValueCache cache, int from, int rows, int head, int position, int firstSlot, int endSlot) {

    int firstSpan() {
      return firstSlot / SPAN;
    }

    int spans() {
      return (endSlot - 1) / SPAN - firstSpan() + 1;
    }
  }

  private List<Tile> tiles(Batch<KeyValueCache> batch) {
    int tileRows = Math.clamp(TILE_QUERIES / group, 1, MOST_TILE_ROWS);
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : batch.runs()) {
      // The last rows have the most to do: whoever is free at the end should find little left.
      for (int end = run.to(); end > run.from(); end -= tileRows) {
        int from = Math.max(run.from(), end - tileRows);
        int position = run.position() + from - run.from();
        int first = window == 0 ? 0 : Math.max(0, position - window + 1);
        int endSlot = endSlot(run.state(), position + end - from);
        for (int head = 0; head < kvHeads; head++) {
          tiles.add(new Tile(run.state(), from, end - from, head, position, first, endSlot));
        }
      }
    }
    return tiles;
  }

  /** The slot after the last that rows before {@code end} see. */
  private int endSlot(KeyValueCache cache, int end) {
    if (causal) {
      return end;
    }
    long reach = window == 0 ? cache.length() : end - 1L + window;
    return (int) Math.min(cache.length(), reach);
  }

  /** Writes what the queries in {@code q}, whose keys are in the caches already, make of them. */
  void attend(Pass pass, Batch<KeyValueCache> batch, Matrix q, Matrix o) {
    List<Tile> tiles = tiles(batch);
    int threads = pass.workers().threads();
    long floats = 0;
    int spans = 0;
    for (Tile tile : tiles) {
      floats += (long) tile.spans() * partFloats(tile);
      spans += tile.spans();
    }
    boolean enough = threads == 1 || tiles.size() >= ENOUGH_PARTS * threads;
    if (enough || spans == tiles.size() || floats > MOST_PART_FLOATS) {
      pass.workers()
          .run(tiles.size(), (part, worker) -> attend(pass, worker, tiles.get(part), q, o));
    } else {
      attendSpans(pass, tiles, spans, (int) floats, q, o);
    }
  }

  /** Shares out the spans of the tiles, and then merges those of each tile. */
  private void attendSpans(Pass pass, List<Tile> tiles, int spans, int floats, Matrix q, Matrix o) {
    try (Pass.Frame frame = pass.frame()) {
      float[] parts = frame.floats(floats);
      int shares = Math.min(spans, ENOUGH_PARTS * pass.workers().threads());
      pass.workers()
          .run(
              shares,
              (share, worker) -> {
                int from = Workers.rangeStart(spans, shares, share);
                int to = Workers.rangeStart(spans, shares, share + 1);
                int partsAt = 0;
                for (Tile tile : tiles) {
                  for (int i = Math.max(0, from); i < Math.min(to, tile.spans()); i++) {
                    attendSpan(pass, worker, tile, i, q, parts, partsAt + i * partFloats(tile));
                  }
                  from -= tile.spans();
                  to -= tile.spans();
                  partsAt += tile.spans() * partFloats(tile);
                }
              });
      int[] partsAt = new int[tiles.size() + 1];
      for (int i = 0; i < tiles.size(); i++) {
        partsAt[i + 1] = partsAt[i] + tiles.get(i).spans() * partFloats(tiles.get(i));
      }
      pass.workers()
          .run(tiles.size(), (part, worker) -> merge(tiles.get(part), q, parts, partsAt[part], o));
    }
  }

  private int partFloats(Tile tile) {
    return kernel.partFloats(traits, tile.rows() * group);
  }

  private Queries queries(Tile tile, Matrix q) {
    int at = q.at(tile.from()) + tile.head() * group * traits.headDim();
    return new Queries(q.data(), at, q.cols(), tile.rows(), group, tile.position());
  }

  private Visited visited(Tile tile) {
    int[] range = {tile.firstSlot(), tile.endSlot()};
    return new Visited(range, 1, causal, window);
  }

  private Biases biases(Tile tile) {
    return new Biases(biases.slopes(), biases.sinks(), tile.head() * group);
  }

  private int resultAt(Tile tile, Matrix o) {
    return o.at(tile.from()) + tile.head() * group * traits.valueDim();
  }

  private float[] scratch(Pass pass, int worker, Tile tile) {
    return pass.scratch(worker, kernel.scratchFloats(traits, tile.rows() * group));
  }

  private void attend(Pass pass, int worker, Tile tile, Matrix q, Matrix o) {
    kernel.attend(
        traits,
        queries(tile, q),
        visited(tile),
        tile.cache().stored(tile.head()),
        biases(tile),
        o.data(),
        resultAt(tile, o),
        o.cols(),
        scratch(pass, worker, tile));
  }

  private void attendSpan(
      Pass pass, int worker, Tile tile, int span, Matrix q, float[] parts, int partAt) {
    kernel.attendSpan(
        traits,
        queries(tile, q),
        visited(tile),
        tile.firstSpan() + span,
        tile.cache().stored(tile.head()),
        biases(tile),
        parts,
        partAt,
        scratch(pass, worker, tile));
  }

  private void merge(Tile tile, Matrix q, float[] parts, int partsAt, Matrix o) {
    kernel.merge(
        traits,
        queries(tile, q),
        biases(tile),
        parts,
        partsAt,
        tile.spans(),
        o.data(),
        resultAt(tile, o),
        o.cols());
  }
}
