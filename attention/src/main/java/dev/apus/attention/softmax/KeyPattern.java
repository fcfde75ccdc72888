package dev.apus.attention.softmax;

import dev.apus.kernels.attention.Attention.Visited;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Which slots rows visit by where they stand, whatever the tokens are. Slots behind a row's own are
 * visited where it looks ahead.
 */
interface KeyPattern {

  /**
   * The text that rows stand in.
   *
   * @param slots how many there are
   */
  record Text(int slots, boolean causal) {}

  /**
   * The row before which all from {@code position} on visit the same slots, but for those that
   * causality or a window hides.
   */
  int alike(int position, Text text);

  /**
   * What rows {@code [from, to)}, which are alike, visit with a query head. A slot in several
   * visits counts as often.
   */
  List<Visited> visits(int from, int to, int head, Text text);

  /** Whether heads differ. */
  default boolean isByHead() {
    return false;
  }

  /** What tokens to come may visit. */
  default Reach reach() {
    return Reach.ALL;
  }

  private static List<Visited> visits(Visited... all) {
    return Stream.of(all).filter(Objects::nonNull).toList();
  }

  /**
   * Chunks of a text that do not see each other.
   *
   * @param size tokens of a chunk
   */
  record Chunks(int size) implements KeyPattern {

    @Override
    public int alike(int position, Text text) {
      return (int) Math.min(Integer.MAX_VALUE, (position / size + 1L) * size);
    }

    @Override
    public List<Visited> visits(int from, int to, int head, Text text) {
      int end = text.causal() ? to : Math.min(text.slots(), alike(from, text));
      return KeyPattern.visits(Tile.visited(from / size * size, end, text.causal(), 0));
    }

    @Override
    public Reach reach() {
      return new Reach(size, 0);
    }
  }

  /**
   * The last tokens, and every token that is a multiple of their number away.
   *
   * @param stride how many last tokens, the own one included, and as many ahead
   * @see <a href="https://arxiv.org/abs/1904.10509">Sparse Transformers</a>
   */
  record Strided(int stride) implements KeyPattern {

    @Override
    public int alike(int position, Text text) {
      return position + 1;
    }

    @Override
    public List<Visited> visits(int from, int to, int head, Text text) {
      int end = text.causal() ? to : text.slots();
      SlotRanges ranges = new SlotRanges().addEvery(stride, from % stride, end);
      ranges.add(from - stride + 1, (int) Math.min(end, (long) from + stride));
      return KeyPattern.visits(ranges.visited(end, false, 0));
    }
  }

  /**
   * Blocks of a text that see themselves, and the last tokens of all others.
   *
   * @param block tokens of a block
   * @param summary how many of its last tokens others see
   * @see <a href="https://arxiv.org/abs/1904.10509">Sparse Transformers</a>
   */
  record Fixed(int block, int summary) implements KeyPattern {

    @Override
    public int alike(int position, Text text) {
      return (int) Math.min(Integer.MAX_VALUE, (position / block + 1L) * block);
    }

    @Override
    public List<Visited> visits(int from, int to, int head, Text text) {
      int end = text.causal() ? to : text.slots();
      int own = from / block * block;
      SlotRanges ranges = new SlotRanges().add(own, Math.min(end, alike(from, text)));
      for (long at = 0; at < end; at += block) {
        ranges.add((int) at + block - summary, (int) Math.min(end, at + block));
      }
      return KeyPattern.visits(ranges.visited(end, text.causal(), 0));
    }
  }

  /**
   * A window with gaps.
   *
   * @param count how many tokens back, the own one included, and as many ahead
   * @param step from each of them to the next
   * @see <a href="https://arxiv.org/abs/2004.05150">Longformer</a>
   */
  record Dilated(int count, int step) implements KeyPattern {

    private long reached() {
      return (count - 1L) * step;
    }

    @Override
    public int alike(int position, Text text) {
      return position + 1;
    }

    @Override
    public List<Visited> visits(int from, int to, int head, Text text) {
      int end = text.causal() ? to : (int) Math.min(text.slots(), from + reached() + 1);
      int first = (int) Math.max(from % step, from - reached());
      return KeyPattern.visits(new SlotRanges().addEvery(step, first, end).visited(end, false, 0));
    }

    @Override
    public Reach reach() {
      return new Reach((int) Math.min(Integer.MAX_VALUE, reached() + 1), 0);
    }
  }

  /**
   * Tokens in the lines of a page: each sees its line and its column.
   *
   * @param width tokens of a line
   * @see <a href="https://arxiv.org/abs/1912.12180">Axial attention</a>
   */
  record Axial(int width) implements KeyPattern {

    @Override
    public int alike(int position, Text text) {
      return position + 1;
    }

    @Override
    public List<Visited> visits(int from, int to, int head, Text text) {
      int end = text.causal() ? to : text.slots();
      int line = from / width * width;
      SlotRanges ranges = new SlotRanges().addEvery(width, from % width, end);
      ranges.add(line, (int) Math.min(end, (long) line + width));
      return KeyPattern.visits(ranges.visited(end, false, 0));
    }
  }

  /**
   * Segments of several lengths, of which every so many tokens see each other. What a token gets of
   * them is weighted by their softmaxes' denominators: a slot counts as often as it is seen.
   *
   * @param segments tokens of the segments of each length
   * @param rates of the tokens of a segment, those whose place in it is the head's number modulo
   *     the rate
   * @see <a href="https://arxiv.org/abs/2307.02486">LongNet</a>
   */
  record Segments(int[] segments, int[] rates) implements KeyPattern {

    @Override
    public int alike(int position, Text text) {
      if (Arrays.stream(rates).anyMatch(rate -> rate > 1)) {
        return position + 1;
      }
      long end = Integer.MAX_VALUE;
      for (int segment : segments) {
        end = Math.min(end, (position / segment + 1L) * segment);
      }
      return (int) end;
    }

    @Override
    public List<Visited> visits(int from, int to, int head, Text text) {
      Visited[] visits = new Visited[segments.length];
      for (int i = 0; i < segments.length; i++) {
        int begin = from / segments[i] * segments[i];
        int place = head % rates[i];
        if ((from - begin) % rates[i] == place) {
          int whole = (int) Math.min(text.slots(), (long) begin + segments[i]);
          int end = text.causal() ? to : whole;
          SlotRanges ranges = new SlotRanges();
          visits[i] =
              (rates[i] == 1
                      ? ranges.add(begin, end)
                      : ranges.addEvery(rates[i], begin + place, end))
                  .visited(end, text.causal(), 0);
        }
      }
      return KeyPattern.visits(visits);
    }

    @Override
    public boolean isByHead() {
      return Arrays.stream(rates).anyMatch(rate -> rate > 1);
    }

    @Override
    public Reach reach() {
      return new Reach(Arrays.stream(segments).max().orElseThrow(), 0);
    }
  }

  /**
   * A window, and some tokens that see all and are seen by all.
   *
   * @param window how many tokens back, the own one included, and as many ahead
   * @param tokens the positions of those, ascending
   * @param others whether others attend for the rows of these tokens, which visit nothing then
   * @see <a href="https://arxiv.org/abs/2004.05150">Longformer</a>
   */
  record Global(int window, int[] tokens, boolean others) implements KeyPattern {

    private int at(int position) {
      return Arrays.binarySearch(tokens, position);
    }

    @Override
    public int alike(int position, Text text) {
      int at = at(position);
      int next = at < 0 ? -at - 1 : at;
      return at >= 0 ? position + 1 : next < tokens.length ? tokens[next] : Integer.MAX_VALUE;
    }

    @Override
    public List<Visited> visits(int from, int to, int head, Text text) {
      int end = text.causal() ? to : text.slots();
      if (at(from) >= 0) {
        return others ? List.of() : List.of(Tile.visited(0, end, text.causal(), 0));
      }
      SlotRanges seen = new SlotRanges();
      for (int token : tokens) {
        seen.add(token, Math.min(token + 1, end));
      }
      int near = text.causal() ? to : (int) Math.min(end, to - 1L + window);
      SlotRanges band = new SlotRanges().add(from - window + 1, near).without(tokens);
      return KeyPattern.visits(
          seen.visited(end, text.causal(), 0), band.visited(near, text.causal(), window));
    }

    @Override
    public Reach reach() {
      return new Reach(window, tokens.length == 0 ? 0 : tokens[tokens.length - 1] + 1);
    }
  }
}
