package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Traits;
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
  private final int window;
  private final int pinned;
  private final Biases biases;

  /**
   * @param group query heads that share a key–value head
   * @param window how many tokens back a token sees, itself included, and as many ahead where it
   *     looks ahead; 0 for all
   * @param pinned how many of the first tokens every token sees, whatever its window
   * @param biases of all query heads
   */
  AttentionTiles(
      Attention kernel,
      Traits traits,
      int kvHeads,
      int group,
      int window,
      int pinned,
      Biases biases) {
    this.kernel = kernel;
    this.traits = traits;
    this.kvHeads = kvHeads;
    this.group = group;
    this.window = window;
    this.pinned = pinned;
    this.biases = biases;
  }

  private List<Tile> tiles(List<Run<KeyValueCache>> runs) {
    int tileRows = Math.clamp(TILE_QUERIES / group, 1, MOST_TILE_ROWS);
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      // The last rows have the most to do: whoever is free at the end should find little left.
      boolean causal = run.visibility() == Visibility.CAUSAL;
      for (int end = run.to(); end > run.from(); end -= tileRows) {
        int from = Math.max(run.from(), end - tileRows);
        int position = run.position() + from - run.from();
        int first = window == 0 ? 0 : Math.max(0, position - window + 1);
        int endSlot = endSlot(run.state(), causal, position + end - from);
        int pinnedEnd = Math.min(pinned, causal ? endSlot : run.state().length());
        int firstSlot = Math.max(pinnedEnd, first);
        for (int head = 0; head < kvHeads; head++) {
          tiles.add(
              new Tile(
                  run.state(),
                  from,
                  end - from,
                  head,
                  position,
                  causal,
                  pinnedEnd,
                  firstSlot,
                  endSlot));
        }
      }
    }
    return tiles;
  }

  /** The slot after the last that rows before {@code end} see. */
  private int endSlot(KeyValueCache cache, boolean causal, int end) {
    if (causal) {
      return end;
    }
    long reach = window == 0 ? cache.length() : end - 1L + window;
    return (int) Math.min(cache.length(), reach);
  }

  /** Writes what the queries in {@code q}, whose keys are in the caches already, make of them. */
  void attend(Pass pass, Batch<KeyValueCache> batch, Matrix q, Matrix o) {
    attend(pass, batch.runs(), q, o);
  }

  /** The same for some of the rows. */
  void attend(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Matrix o) {
    List<Tile> tiles = tiles(runs);
    int threads = pass.workers().threads();
    long floats = 0;
    int parts = 0;
    for (Tile tile : tiles) {
      floats += (long) tile.parts() * partFloats(tile);
      parts += tile.parts();
    }
    boolean enough = threads == 1 || tiles.size() >= ENOUGH_PARTS * threads;
    if (pinned > 0) {
      attendSome(pass, tiles, q, o);
    } else if (enough || parts == tiles.size() || floats > MOST_PART_FLOATS) {
      pass.workers()
          .run(tiles.size(), (part, worker) -> attend(pass, worker, tiles.get(part), q, o));
    } else {
      attendSpans(pass, tiles, q, o);
    }
  }

  /** Shares out the spans of as many tiles at a time as there is memory for. */
  private void attendSome(Pass pass, List<Tile> tiles, Matrix q, Matrix o) {
    for (int from = 0, to; from < tiles.size(); from = to) {
      long floats = 0;
      for (to = from; to < tiles.size(); to++) {
        floats += (long) tiles.get(to).parts() * partFloats(tiles.get(to));
        if (to > from && floats > MOST_PART_FLOATS) {
          break;
        }
      }
      attendSpans(pass, tiles.subList(from, to), q, o);
    }
  }

  /** Shares out the spans of the tiles, and then merges those of each tile. */
  private void attendSpans(Pass pass, List<Tile> tiles, Matrix q, Matrix o) {
    int[] partsAt = new int[tiles.size() + 1];
    int spans = 0;
    for (int i = 0; i < tiles.size(); i++) {
      Tile tile = tiles.get(i);
      partsAt[i + 1] = Math.addExact(partsAt[i], tile.parts() * partFloats(tile));
      spans += tile.parts();
    }
    int all = spans;
    try (Pass.Frame frame = pass.frame()) {
      float[] parts = frame.floats(partsAt[tiles.size()]);
      int shares = Math.min(spans, ENOUGH_PARTS * pass.workers().threads());
      pass.workers()
          .run(
              shares,
              (share, worker) -> {
                int from = Workers.rangeStart(all, shares, share);
                int to = Workers.rangeStart(all, shares, share + 1);
                for (int i = 0; i < tiles.size(); i++) {
                  Tile tile = tiles.get(i);
                  for (int part = Math.max(0, from); part < Math.min(to, tile.parts()); part++) {
                    int at = partsAt[i] + part * partFloats(tile);
                    attendSpan(pass, worker, tile, part, q, parts, at);
                  }
                  from -= tile.parts();
                  to -= tile.parts();
                }
              });
      pass.workers().run(tiles.size(), (i, worker) -> merge(tiles.get(i), q, parts, partsAt[i], o));
    }
  }

  private int partFloats(Tile tile) {
    return kernel.partFloats(traits, tile.rows() * group);
  }

  private Queries queries(Tile tile, Matrix q) {
    int at = q.at(tile.from()) + tile.head() * group * traits.headDim();
    return new Queries(q.data(), at, q.cols(), tile.rows(), group, tile.position());
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
        tile.visited(0, window),
        tile.cache().stored(tile.head()),
        biases(tile),
        o.data(),
        resultAt(tile, o),
        o.cols(),
        scratch(pass, worker, tile));
  }

  private void attendSpan(
      Pass pass, int worker, Tile tile, int part, Matrix q, float[] parts, int partAt) {
    kernel.attendSpan(
        traits,
        queries(tile, q),
        tile.visited(part, window),
        tile.span(part),
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
        tile.parts(),
        o.data(),
        resultAt(tile, o),
        o.cols());
  }
}
