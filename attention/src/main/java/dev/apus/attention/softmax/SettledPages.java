package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

import dev.apus.core.compute.Pass;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Stored;
import java.util.List;
import java.util.TreeMap;
import java.util.function.ObjIntConsumer;

/**
 * The pages of whole spans as queries of later spans see them, while queries of the spans
 * themselves still may ask: in the pass that fills a span, a cache has it in both ways.
 */
final class SettledPages {

  /** Rounding a value takes about as long as computing so many. */
  private static final int SETTLE_VALUES = 16;

  private final CacheLayout layout;
  private final CacheSupply supply;

  /** By their spans. */
  private final TreeMap<Integer, CachePage> ahead = new TreeMap<>();

  SettledPages(CacheLayout layout, CacheSupply supply) {
    this.layout = layout;
    this.supply = supply;
  }

  /**
   * Makes those of the spans {@code [from, to)}.
   *
   * @param pages as they were stored, by their spans
   */
  void make(Pass pass, List<CachePage> pages, int from, int to) {
    for (int span = from; span < to; span++) {
      CachePage page = supply.next(span, SLOTS);
      page.claim(0, SLOTS);
      ahead.put(span, page);
    }
    int heads = layout.heads();
    pass.eachRow(
        (to - from) * heads,
        SETTLE_VALUES * SLOTS * (layout.keyDim() + layout.valueDim()),
        (first, end, worker) -> {
          for (int i = first; i < end; i++) {
            int span = from + i / heads;
            int head = i % heads;
            Piece stored = pages.get(span).head(head);
            int valueDim = head < layout.valueHeads() ? layout.valueDim() : 0;
            layout
                .kernel()
                .settle(layout.keyDim(), valueDim, span, stored, ahead.get(span).head(head));
          }
        });
  }

  /** The keys and values of one head. */
  Stored stored(List<CachePage> pages, int head) {
    return new Stored() {
      @Override
      public Piece piece(int span) {
        CachePage settled = ahead.get(span);
        return (settled == null ? pages.get(span) : settled).head(head);
      }

      @Override
      public Piece recent(int span) {
        CachePage page = pages.get(span);
        if (page.isSettled()) {
          throw new IllegalStateException("span " + span + " has settled; none stands in it");
        }
        return page.head(head);
      }
    };
  }

  /** Gives all of them away. */
  void take(ObjIntConsumer<CachePage> taker) {
    ahead.forEach((span, page) -> taker.accept(page, span));
    ahead.clear();
  }

  long bytes() {
    return ahead.values().stream().mapToLong(CachePage::shareBytes).sum();
  }

  /** Gives them back: what was stored is not to be read by later spans after all. */
  void release() {
    take((page, span) -> page.release());
  }
}
