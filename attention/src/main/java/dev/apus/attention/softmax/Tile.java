package dev.apus.attention.softmax;

import static dev.apus.kernels.attention.Attention.SPAN;

import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.KeyVisits;
import dev.apus.core.model.Run;
import dev.apus.core.model.Visibility;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.List;

/**
 * One run's rows {@code [from, from + rows)} of a batch, for some of the query heads that share a
 * key–value head. It is attended to in parts: the spans of each of its visits, one visit after the
 * other.
 *
 * @param keys what they read
 * @param head the first of the query heads
 * @param heads how many of them
 * @param position the slot of the first row
 * @param visits the slots that rows visit; a slot in several of them counts as often
 * @param spans of the visits, one behind the other
 * @param ends for each visit, where those of the next begin
 * @param far whether the first visit, of several, is made by queries that are turned otherwise
 */
record Tile(
    Keys keys,
    int from,
    int rows,
    int head,
    int heads,
    int position,
    Visited[] visits,
    int[] spans,
    int[] ends,
    boolean far) {

  /** Queries of a tile: enough to pay for decoding keys and values, few enough for a cache. */
  private static final int QUERIES = 128;

  /** Rows of a tile: more would score too many keys that the first of them do not see. */
  private static final int MOST_ROWS = 64;

  /** Keys and values, where they are or where a worker puts them together. */
  @FunctionalInterface
  interface Keys {

    /** What is good for the worker's next call of a kernel. */
    Stored stored(Pass pass, int worker);
  }

  /** Those of one head, where its cache has them. */
  private record OfHead(KeyValueCache cache, int keyHead) implements Keys {
    @Override
    public Stored stored(Pass pass, int worker) {
      return cache.stored(keyHead);
    }
  }

  /** How many rows of so many query heads make a good tile. */
  static int rows(int heads) {
    return Math.clamp(QUERIES / heads, 1, MOST_ROWS);
  }

  /** Rows of a run with all query heads of a key–value head. */
  static Tile ofGroup(
      Run<KeyValueCache> run, int from, int rows, int keyHead, Heads heads, Visited... visits) {
    int group = heads.group();
    return of(run, from, rows, keyHead * group, group, keyHead, visits);
  }

  /** Adds the same of each of the key–value heads {@code [fromHead, toHead)}. */
  static void addGroups(
      List<Tile> tiles,
      Run<KeyValueCache> run,
      int from,
      int rows,
      int fromHead,
      int toHead,
      Heads heads,
      Visited... visits) {
    Tile first = ofGroup(run, from, rows, fromHead, heads, visits);
    tiles.add(first);
    for (int head = fromHead + 1; head < toHead; head++) {
      tiles.add(first.ofHead(new OfHead(run.state(), head), head * heads.group()));
    }
  }

  private Tile ofHead(Keys others, int otherHead) {
    return new Tile(others, from, rows, otherHead, heads, position, visits, spans, ends, far);
  }

  /** Rows of a run with some query heads of a key–value head. */
  static Tile of(
      Run<KeyValueCache> run,
      int from,
      int rows,
      int head,
      int heads,
      int keyHead,
      Visited... visits) {
    int[] ends = new int[visits.length];
    int count = 0;
    for (int i = 0; i < visits.length; i++) {
      count = collect(visits[i], null, count);
      ends[i] = count;
    }
    int[] spans = new int[count];
    int at = 0;
    for (Visited visited : visits) {
      at = collect(visited, spans, at);
    }
    int position = run.state().slot(run.position()) + from - run.from();
    Keys keys = new OfHead(run.state(), keyHead);
    return new Tile(keys, from, rows, head, heads, position, visits, spans, ends, false);
  }

  /** Writes the spans that a visit touches from {@code at} on, if {@code spans} is not null. */
  private static int collect(Visited visited, int[] spans, int at) {
    int next = 0;
    for (int i = 0; i < visited.count(); i++) {
      int end = visited.ranges()[2 * i + 1];
      if (visited.ranges()[2 * i] < end) {
        for (int span = Math.max(next, visited.ranges()[2 * i] / SPAN); span * SPAN < end; span++) {
          if (spans != null) {
            spans[at] = span;
          }
          at++;
          next = span + 1;
        }
      }
    }
    return at;
  }

  /** The same queries, reading other keys as if the first row stood at another position. */
  Tile reading(Keys others, int otherPosition) {
    return new Tile(others, from, rows, head, heads, otherPosition, visits, spans, ends, far);
  }

  /** A visit of the slots {@code [from, to)}. */
  static Visited visited(int from, int to, boolean causal, int window) {
    return new Visited(new int[] {from, to}, 1, causal, window);
  }

  /** The same rows, whose first visit of several is made by the far queries. */
  Tile asFar() {
    boolean several = visits.length > 1;
    return new Tile(keys, from, rows, head, heads, position, visits, spans, ends, several);
  }

  /** Whether a part is of the visit that the far queries make. */
  boolean isFar(int part) {
    return far && part < ends[0];
  }

  /**
   * How many keys its rows visit, and how many there are before them.
   *
   * @param run that they are rows of
   */
  KeyVisits visitsOf(Run<KeyValueCache> run) {
    KeyValueCache cache = run.state();
    boolean ahead = run.visibility() != Visibility.CAUSAL;
    long visited = 0;
    long seen = 0;
    for (int row = 0; row < rows; row++) {
      for (Visited some : visits) {
        visited += count(some, position + row);
      }
      seen += ahead ? cache.length() : run.position() + from + row - run.from() + 1L;
    }
    return new KeyVisits(heads * visited, heads * seen);
  }

  private static long count(Visited visited, int row) {
    long first = visited.window() == 0 ? 0 : Math.max(0, row - visited.window() + 1);
    long end = Long.MAX_VALUE;
    if (visited.causal()) {
      end = row + 1L;
    } else if (visited.window() > 0) {
      end = (long) row + visited.window();
    }
    long keys = 0;
    for (int i = 0; i < visited.count(); i++) {
      long from = Math.max(first, visited.ranges()[2 * i]);
      keys += Math.max(0, Math.min(end, visited.ranges()[2 * i + 1]) - from);
    }
    return keys;
  }

  int parts() {
    return spans.length;
  }

  /** What the rows see in a part. */
  Visited visited(int part) {
    int visit = 0;
    while (part >= ends[visit]) {
      visit++;
    }
    return visits[visit];
  }
}
