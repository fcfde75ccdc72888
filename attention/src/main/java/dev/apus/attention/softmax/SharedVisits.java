package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Attention of tiles that are single queries and have visits in common: the queries of a visit are
 * collected, and attended to together, so that many of them share what is read. What a query gets
 * has the bits that it would have alone.
 */
final class SharedVisits {

  /** Queries attended to together: enough to pay for reading keys and values. */
  private static final int MOST_QUERIES = 128;

  /** Memory that what single spans give may take. */
  private static final int MOST_PART_FLOATS = 1 << 22;

  private static final Biases NO_BIASES = new Biases(null, null, 0);

  /** Slots of one head, whose tiles have the same objects. */
  private record Place(Tile.Keys keys, Visited visited) {}

  /**
   * Queries that visit a place.
   *
   * @param tiles their tiles
   * @param parts for each, where what its first span gives belongs
   * @param spans of the place
   */
  private record Share(Place place, List<Tile> tiles, List<Integer> parts, int[] spans) {}

  private final Attention kernel;
  private final Traits traits;
  private final Biases biases;
  private final int queryFloats;

  /**
   * @param biases of all query heads, without slopes: these depend on the position
   */
  SharedVisits(Attention kernel, Traits traits, Biases biases) {
    this.kernel = kernel;
    this.traits = traits;
    this.biases = biases;
    this.queryFloats = kernel.partFloats(traits, 1);
  }

  /** Attends to as many tiles at a time as there is memory for. */
  void attend(Pass pass, List<Tile> tiles, Matrix q, Matrix o) {
    for (int from = 0, to; from < tiles.size(); from = to) {
      long floats = 0;
      for (to = from; to < tiles.size(); to++) {
        floats += (long) tiles.get(to).parts() * queryFloats;
        if (to > from && floats > MOST_PART_FLOATS) {
          break;
        }
      }
      attendSome(pass, tiles.subList(from, to), q, o);
    }
  }

  private void attendSome(Pass pass, List<Tile> tiles, Matrix q, Matrix o) {
    int[] partsAt = new int[tiles.size() + 1];
    for (int i = 0; i < tiles.size(); i++) {
      partsAt[i + 1] = Math.addExact(partsAt[i], tiles.get(i).parts() * queryFloats);
    }
    List<Share> shares = shares(tiles, partsAt);
    try (Pass.Frame frame = pass.frame()) {
      float[] parts = frame.floats(partsAt[tiles.size()]);
      pass.workers()
          .run(shares.size(), (i, worker) -> attend(pass, worker, shares.get(i), q, parts));
      pass.eachRow(
          tiles.size(),
          partsAt[tiles.size()] / tiles.size(),
          (from, to, worker) -> {
            for (int i = from; i < to; i++) {
              merge(tiles.get(i), q, parts, partsAt[i], o);
            }
          });
    }
  }

  /** Collects the queries of every visit. */
  private List<Share> shares(List<Tile> tiles, int[] partsAt) {
    Map<Place, Share> open = new LinkedHashMap<>();
    List<Share> shares = new ArrayList<>();
    for (int i = 0; i < tiles.size(); i++) {
      Tile tile = tiles.get(i);
      int first = 0;
      for (int visit = 0; visit < tile.visits().length; visit++) {
        var place = new Place(tile.keys(), tile.visits()[visit]);
        int end = tile.ends()[visit];
        Share share = open.get(place);
        if (share == null || !fits(share, tile)) {
          int[] spans = Arrays.copyOfRange(tile.spans(), first, end);
          share = new Share(place, new ArrayList<>(), new ArrayList<>(), spans);
          open.put(place, share);
          shares.add(share);
        }
        share.tiles.add(tile);
        share.parts.add(partsAt[i] + first * queryFloats);
        first = end;
      }
    }
    return shares;
  }

  /**
   * Whether a query may join: where positions hide slots, queries stand one behind the other;
   * otherwise in one span.
   */
  private static boolean fits(Share share, Tile tile) {
    Visited visited = share.place.visited;
    Tile last = share.tiles.getLast();
    boolean hidden = visited.causal() || visited.window() > 0;
    return share.tiles.size() < MOST_QUERIES
        && (hidden
            ? last.head() == tile.head() && last.position() + 1 == tile.position()
            : last.position() / Attention.SPAN == tile.position() / Attention.SPAN);
  }

  private void attend(Pass pass, int worker, Share share, Matrix q, float[] parts) {
    int count = share.tiles.size();
    int dim = traits.headDim();
    int queriesAt = kernel.scratchFloats(traits, count);
    int partAt = queriesAt + count * dim;
    float[] scratch = pass.scratch(worker, partAt + count * queryFloats);
    for (int i = 0; i < count; i++) {
      Tile tile = share.tiles.get(i);
      int at = q.at(tile.from()) + tile.head() * dim;
      System.arraycopy(q.data(), at, scratch, queriesAt + i * dim, dim);
    }
    int position = share.tiles.getFirst().position();
    boolean hidden = share.place.visited.causal() || share.place.visited.window() > 0;
    var queries =
        hidden
            ? new Queries(scratch, queriesAt, dim, count, 1, position)
            : new Queries(scratch, queriesAt, count * dim, 1, count, position);
    for (int span = 0; span < share.spans.length; span++) {
      kernel.attendSpan(
          traits,
          queries,
          share.place.visited,
          share.spans[span],
          share.place.keys.stored(pass, worker),
          NO_BIASES,
          scratch,
          partAt,
          scratch);
      for (int i = 0; i < count; i++) {
        int to = share.parts.get(i) + span * queryFloats;
        System.arraycopy(scratch, partAt + i * queryFloats, parts, to, queryFloats);
      }
    }
  }

  private void merge(Tile tile, Matrix q, float[] parts, int partsAt, Matrix o) {
    kernel.merge(
        traits,
        new Queries(q.data(), 0, 0, 1, 1, tile.position()),
        new Biases(null, biases.sinks(), tile.head()),
        parts,
        partsAt,
        tile.parts(),
        o.data(),
        o.at(tile.from()) + tile.head() * traits.valueDim(),
        o.cols());
  }
}
