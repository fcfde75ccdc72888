package dev.apus.attention.softmax;

import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
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

  /** Parts for each thread that share work out well; with fewer tiles, spans are shared out. */
  private static final int ENOUGH_PARTS = 4;

  /** Memory that the results of single spans may take. */
  private static final int MOST_PART_FLOATS = 1 << 22;

  private final Attention kernel;
  private final Traits traits;
  private final KeySelection selection;
  private final Heads heads;
  private final Biases biases;

  /**
   * @param biases of all query heads
   */
  AttentionTiles(
      Attention kernel, Traits traits, Heads heads, KeySelection selection, Biases biases) {
    this.kernel = kernel;
    this.traits = traits;
    this.heads = heads;
    this.selection = selection;
    this.biases = biases;
  }

  /** Writes what the queries in {@code q}, whose keys are in the caches already, make of them. */
  void attend(Pass pass, Batch<KeyValueCache> batch, Matrix q, Matrix o) {
    attend(pass, batch.runs(), q, o);
  }

  /**
   * Appends keys and values, and attends to them: as many tokens at a time as the selection lets
   * the caches have room for.
   *
   * @param far the queries of far visits
   * @param kept what heads keep of what came before a row, or null
   */
  void append(
      Pass pass,
      Batch<KeyValueCache> batch,
      Matrix q,
      Matrix far,
      Matrix k,
      Matrix v,
      Matrix kept,
      Matrix o) {
    List<Run<KeyValueCache>> left = batch.runs();
    while (!left.isEmpty()) {
      List<Run<KeyValueCache>> now = new ArrayList<>();
      List<Run<KeyValueCache>> later = new ArrayList<>();
      for (Run<KeyValueCache> run : left) {
        int rows = Math.min(run.length(), selection.room(run.state()));
        int cut = run.from() + rows;
        now.add(rows == run.length() ? run : run.part(run.from(), cut));
        if (rows < run.length()) {
          later.add(run.part(cut, run.to()));
        }
      }
      if (takeHeads(now)) {
        List<NewRows> rows = new ArrayList<>();
        for (Run<KeyValueCache> run : now) {
          rows.add(run.state().place(k, v, kept, run));
        }
        attendNew(pass, now, rows, q, far, o);
      } else {
        for (Run<KeyValueCache> run : now) {
          run.state().store(pass, k, v, kept, run);
        }
        attend(pass, now, q, far, o);
      }
      now.forEach(run -> selection.makeRoom(pass, run.state()));
      left = later;
    }
  }

  private boolean takeHeads(List<Run<KeyValueCache>> runs) {
    boolean taken = selection.isByPosition();
    for (Run<KeyValueCache> run : runs) {
      taken &= run.state().takesHeads(run);
    }
    return taken;
  }

  /**
   * Stores new rows, and attends to all that the queries see: where each head of each run is one
   * tile, whoever has the tile stores the head first, so that all wait for each other once, and
   * what was just stored is near.
   *
   * @param rows of each run
   */
  private void attendNew(
      Pass pass,
      List<Run<KeyValueCache>> runs,
      List<NewRows> rows,
      Matrix q,
      Matrix far,
      Matrix o) {
    List<Tile> tiles = selection.tiles(pass, runs, q, heads);
    count(runs, tiles);
    if (tiles.size() == runs.size() * heads.keyHeads() && areWhole(pass, tiles)) {
      pass.workers()
          .run(
              tiles.size(),
              (part, worker) -> {
                Tile tile = tiles.get(part);
                rows.get(part / heads.keyHeads()).store(tile.head() / heads.group());
                attend(pass, worker, tile, q, o);
              });
    } else {
      for (NewRows some : rows) {
        some.store(pass);
      }
      attendTiles(pass, tiles, q, far, o);
    }
  }

  /** The same for some of the rows. */
  void attend(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Matrix o) {
    attend(pass, runs, q, q, o);
  }

  /**
   * The same with other queries for far visits.
   *
   * @param far the queries that {@link Tile#far} asks for
   */
  void attend(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Matrix far, Matrix o) {
    List<Tile> tiles = selection.attend(pass, runs, q, heads, o);
    count(runs, tiles);
    if (selection.sharesVisits()) {
      new SharedVisits(kernel, traits, biases).attend(pass, tiles, q, o);
    } else {
      attendTiles(pass, tiles, q, far, o);
    }
  }

  /** Takes note of the keys that each run's tiles visit. */
  static void count(List<Run<KeyValueCache>> runs, List<Tile> tiles) {
    Run<KeyValueCache> run = null;
    for (Tile tile : tiles) {
      run = run != null && run.has(tile.from()) ? run : runOf(runs, tile.from());
      run.state().count(tile.visitsOf(run));
    }
  }

  private static Run<KeyValueCache> runOf(List<Run<KeyValueCache>> runs, int row) {
    for (Run<KeyValueCache> run : runs) {
      if (run.has(row)) {
        return run;
      }
    }
    throw new IllegalArgumentException("no run has row " + row);
  }

  /** The same for tiles that have been made already. */
  void attendTiles(Pass pass, List<Run<KeyValueCache>> runs, List<Tile> tiles, Matrix q, Matrix o) {
    count(runs, tiles);
    attendTiles(pass, tiles, q, q, o);
  }

  /**
   * Writes what tiles that have been made already give, without taking note of visits.
   *
   * @param far the queries that {@link Tile#far} asks for
   */
  void attendTiles(Pass pass, List<Tile> tiles, Matrix q, Matrix far, Matrix o) {
    if (areWhole(pass, tiles)) {
      pass.workers()
          .run(tiles.size(), (part, worker) -> attend(pass, worker, tiles.get(part), q, o));
    } else {
      attendSome(pass, tiles, q, far, o);
    }
  }

  /** Whether tiles are shared out, and not their spans. */
  private boolean areWhole(Pass pass, List<Tile> tiles) {
    int threads = pass.workers().threads();
    long floats = 0;
    int parts = 0;
    for (Tile tile : tiles) {
      if (tile.visits().length > 1) {
        return false;
      }
      floats += (long) tile.parts() * partFloats(tile);
      parts += tile.parts();
    }
    boolean enough = threads == 1 || tiles.size() >= ENOUGH_PARTS * threads;
    return enough || parts == tiles.size() || floats > MOST_PART_FLOATS;
  }

  /** Shares out the spans of as many tiles at a time as there is memory for. */
  private void attendSome(Pass pass, List<Tile> tiles, Matrix q, Matrix far, Matrix o) {
    for (int from = 0, to; from < tiles.size(); from = to) {
      long floats = 0;
      for (to = from; to < tiles.size(); to++) {
        floats += (long) tiles.get(to).parts() * partFloats(tiles.get(to));
        if (to > from && floats > MOST_PART_FLOATS) {
          break;
        }
      }
      attendSpans(pass, tiles.subList(from, to), q, far, o);
    }
  }

  /** Shares out the spans of the tiles, and then merges those of each tile. */
  private void attendSpans(Pass pass, List<Tile> tiles, Matrix q, Matrix far, Matrix o) {
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
                    Matrix asking = tile.isFar(part) ? far : q;
                    attendSpan(pass, worker, tile, part, asking, parts, at);
                  }
                  from -= tile.parts();
                  to -= tile.parts();
                }
              });
      pass.workers()
          .run(
              tiles.size(),
              (i, worker) -> {
                Tile tile = tiles.get(i);
                if (tile.parts() == 0) {
                  attend(pass, worker, tile, q, o);
                } else {
                  merge(tile, q, parts, partsAt[i], o);
                }
              });
    }
  }

  private int partFloats(Tile tile) {
    return kernel.partFloats(traits, tile.rows() * tile.heads());
  }

  private Queries queries(Tile tile, Matrix q) {
    int at = q.at(tile.from()) + tile.head() * traits.headDim();
    return new Queries(q.data(), at, q.cols(), tile.rows(), tile.heads(), tile.position());
  }

  private Biases biases(Tile tile) {
    return new Biases(biases.slopes(), biases.sinks(), tile.head());
  }

  private int resultAt(Tile tile, Matrix o) {
    return o.at(tile.from()) + tile.head() * traits.valueDim();
  }

  private float[] scratch(Pass pass, int worker, Tile tile) {
    return pass.scratch(worker, kernel.scratchFloats(traits, tile.rows() * tile.heads()));
  }

  private void attend(Pass pass, int worker, Tile tile, Matrix q, Matrix o) {
    kernel.attend(
        traits,
        queries(tile, q),
        tile.visits()[0],
        tile.keys().stored(pass, worker),
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
        tile.visited(part),
        tile.spans()[part],
        tile.keys().stored(pass, worker),
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
