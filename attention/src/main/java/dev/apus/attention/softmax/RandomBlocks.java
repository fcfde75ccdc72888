package dev.apus.attention.softmax;

import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Blocks of tokens that see the blocks near them, the first, the last where they look ahead, and
 * some others drawn at random for each head; the first and the last see all.
 *
 * <p>What a block draws follows from the seed, the head, the block and the blocks that it may draw
 * from: in a causal text, those before it.
 *
 * @param block tokens of a block
 * @param near how many blocks on each side are near
 * @param random how many are drawn
 * @param firstCounts how often the keys of the first block count
 * @param whole texts that look ahead, of at most so many tokens, are seen as a whole
 * @see <a href="https://arxiv.org/abs/2007.14062">Big Bird</a>
 */
record RandomBlocks(int block, int near, int random, long seed, int firstCounts, int whole)
    implements KeyPattern {

  @Override
  public int alike(int position, Text text) {
    return isWhole(text)
        ? Integer.MAX_VALUE
        : (int) Math.min(Integer.MAX_VALUE, (position / block + 1L) * block);
  }

  private boolean isWhole(Text text) {
    return !text.causal() && text.slots() <= whole;
  }

  @Override
  public List<Visited> visits(int from, int to, int head, Text text) {
    int end = text.causal() ? to : text.slots();
    int own = from / block;
    int last = (end - 1) / block;
    boolean all = own == 0 || (!text.causal() && own == last);
    if (all || isWhole(text)) {
      return List.of(Tile.visited(0, end, text.causal(), 0));
    }
    SlotRanges seen = new SlotRanges();
    int firstNear = Math.max(0, own - near);
    int lastNear = text.causal() ? own : Math.min(last, own + near);
    add(0, seen, end);
    for (int i = firstNear; i <= lastNear; i++) {
      add(i, seen, end);
    }
    if (!text.causal()) {
      add(last, seen, end);
    }
    draw(own, firstNear, lastNear, text.causal() ? 0 : last, head).forEach(i -> add(i, seen, end));
    List<Visited> visits = new ArrayList<>();
    visits.add(seen.visited(end, text.causal(), 0));
    for (int i = 1; i < firstCounts; i++) {
      visits.add(Tile.visited(0, Math.min(end, block), text.causal(), 0));
    }
    return visits;
  }

  private void add(int which, SlotRanges seen, int end) {
    seen.add(which * block, (int) Math.min(end, (which + 1L) * block));
  }

  /** Draws from the blocks between the first and those near, and between these and {@code last}. */
  private List<Integer> draw(int own, int firstNear, int lastNear, int last, int head) {
    List<Integer> drawn = new ArrayList<>();
    int before = Math.max(0, firstNear - 1);
    int others = before + Math.max(0, last - lastNear - 1);
    var numbers = new SplittableRandom(seed * 1_000_003 + head * 65_537L + own);
    for (int i = others - Math.min(random, others); i < others; i++) {
      // Floyd's: each set of so many is as likely as any other.
      int one = numbers.nextInt(i + 1);
      int place = drawn.contains(one) ? i : one;
      drawn.add(place);
    }
    return drawn.stream().map(i -> i < before ? i + 1 : lastNear + 1 + i - before).toList();
  }

  @Override
  public boolean isByHead() {
    return random > 0;
  }
}
