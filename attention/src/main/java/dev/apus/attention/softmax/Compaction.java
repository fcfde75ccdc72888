package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

import dev.apus.core.compute.Pass;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Piece;
import java.util.ArrayList;
import java.util.List;

/** Copies chosen slots of each head into pages of their own, one behind the other. */
final class Compaction {

  /** Moving a value takes about as long as computing so many. */
  private static final int MOVE_VALUES = 8;

  private final CacheLayout layout;
  private final List<CachePage> from;
  private final List<CachePage> to = new ArrayList<>();

  private Compaction(CacheLayout layout, List<CachePage> from) {
    this.layout = layout;
    this.from = from;
  }

  /**
   * @param slots of each head, as many of each
   */
  static List<CachePage> of(Pass pass, CacheLayout layout, List<CachePage> pages, int[][] slots) {
    var work = new Compaction(layout, pages);
    int count = slots[0].length;
    for (int i = 0; i * SLOTS < count; i++) {
      int used = Math.min(SLOTS, count - i * SLOTS);
      work.to.add(new CachePage(layout, i, layout.blocks(used)));
      work.to.getLast().claim(0, used);
    }
    pass.eachRow(
        layout.heads(),
        MOVE_VALUES * (layout.keyDim() + layout.valueDim()) * count,
        (first, end, worker) -> {
          for (int head = first; head < end; head++) {
            work.move(pass, worker, head, slots[head]);
          }
        });
    return work.to;
  }

  private void move(Pass pass, int worker, int head, int[] slots) {
    Attention kernel = layout.kernel();
    int keyDim = layout.keyDim();
    int valueDim = layout.valueDim();
    float[] loaded = pass.scratch(worker, Math.max(keyDim, valueDim));
    for (int i = 0; i < slots.length; i++) {
      Piece source = from.get(slots[i] / SLOTS).head(head);
      Piece target = to.get(i / SLOTS).head(head);
      kernel.loadKeys(source.keys(), source.keysAt(), keyDim, slots[i], loaded, 0);
      kernel.storeKeys(loaded, 0, keyDim, target.keys(), target.keysAt(), i);
      kernel.loadValues(source.values(), source.valuesAt(), valueDim, slots[i], loaded, 0);
      kernel.storeValues(loaded, 0, valueDim, target.values(), target.valuesAt(), i);
    }
  }
}
