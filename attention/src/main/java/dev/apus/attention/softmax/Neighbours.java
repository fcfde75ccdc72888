package dev.apus.attention.softmax;

import dev.apus.core.config.Config;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.List;

/**
 * Chunks that see themselves and some on either side. A text that is read as a whole is a ring: its
 * last chunk stands before its first.
 *
 * @param size tokens of a chunk
 * @param before how many chunks before its own a token sees
 * @param after how many after it, where it looks ahead
 * @see <a href="https://arxiv.org/abs/2001.04451">Reformer</a>
 */
record Neighbours(int size, int before, int after, Padding padding) implements KeyPattern {

  static Neighbours read(Config c) {
    int size = c.positive("size");
    int before = c.count("before", 1);
    int after = c.count("after", 0);
    if ((before + after + 1L) * size > Integer.MAX_VALUE) {
      throw c.error("%d chunks of %d are more than 2^31 − 1 tokens", before + after + 1L, size);
    }
    return new Neighbours(size, before, after, Padding.read(c, size));
  }

  @Override
  public int alike(int position, Text text) {
    return (int) Math.min(Integer.MAX_VALUE, (position / size + 1L) * size);
  }

  @Override
  public List<Visited> visits(int from, int to, int head, Text text) {
    int chunk = from / size;
    if (text.causal()) {
      return List.of(Tile.visited(Math.max(0, chunk - before) * size, to, true, 0));
    }
    if (text.slots() <= size) {
      return List.of(Tile.visited(0, text.slots(), false, 0));
    }
    int length = padding.length(text.slots());
    List<Visited> visits = new ArrayList<>();
    for (int other = chunk - before; other <= chunk + after; other++) {
      int first = Math.floorMod(other, length / size) * size;
      int end = Math.min(text.slots(), first + size);
      if (first < end) {
        visits.add(Tile.visited(first, end, false, 0));
      }
    }
    return visits;
  }

  @Override
  public Reach reach() {
    return new Reach((before + 1) * size, 0);
  }
}
