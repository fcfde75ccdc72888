package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Levels;
import dev.apus.kernels.attention.Attention.Piece;
import java.util.List;

/**
 * Writes what the slots of a cache hold: keys and values, and levels of forgetting or scores that
 * tokens have of their own.
 *
 * @param pages by their spans
 */
record SlotWriter(CacheLayout layout, List<CachePage> pages) {

  /**
   * Storing a value takes about as long as computing so many: keys lie each in a line of its own.
   */
  private static final int STORE_VALUES = 16;

  /** Writes the keys and values of some rows to slots that are there. */
  void store(Pass pass, Matrix k, Matrix v, int first, int row, int rows) {
    int heads = layout.heads();
    pass.eachRow(
        heads * rows,
        STORE_VALUES * (k.cols() + v.cols()) / heads,
        (from, to, worker) -> {
          for (int unit = from; unit < to; unit++) {
            store(unit / rows, k, v, row + unit % rows, first + unit % rows);
          }
        });
  }

  private void store(int head, Matrix k, Matrix v, int row, int slot) {
    Attention kernel = layout.kernel();
    Piece at = pages.get(slot / SLOTS).head(head);
    int kAt = k.at(row) + head * layout.keyDim();
    kernel.storeKeys(k.data(), kAt, layout.keyDim(), at.keys(), at.keysAt(), slot);
    if (head < layout.valueHeads()) {
      int vAt = v.at(row) + head * layout.valueDim();
      kernel.storeValues(v.data(), vAt, layout.valueDim(), at.values(), at.valuesAt(), slot);
    }
  }

  /**
   * Sets the levels of slots of those before them.
   *
   * @param kept the logarithm of what each head keeps of what came before a row
   */
  void descend(int first, int count, Matrix kept, int row) {
    for (int i = 0; i < count; i++) {
      for (int head = 0; head < layout.heads(); head++) {
        int at = kept.at(row + i) + head * layout.forgetting();
        descend(head, first + i, kept.data(), at);
      }
    }
  }

  private void descend(int head, int slot, float[] kept, int keptAt) {
    Levels levels = pages.get(slot / SLOTS).head(head).levels();
    boolean first = slot % SLOTS == 0;
    Levels before = first && slot > 0 ? pages.get(slot / SLOTS - 1).head(head).levels() : null;
    for (int g = 0; g < layout.forgetting(); g++) {
      if (first) {
        levels.setBase(g, before == null ? 0 : before.level(g, slot - 1));
      }
      float sum = first ? 0 : levels.sum(g, slot - 1);
      levels.set(g, slot, sum + kept[keptAt + g]);
    }
  }

  /**
   * Sets the levels of slots to scores that are added to those of their keys.
   *
   * @param scores a value for each key head
   */
  void score(int first, int count, Matrix scores, int row) {
    for (int i = 0; i < count; i++) {
      int slot = first + i;
      for (int head = 0; head < layout.heads(); head++) {
        Levels levels = pages.get(slot / SLOTS).head(head).levels();
        for (int g = 0; g < layout.forgetting(); g++) {
          levels.setBase(g, 0);
          levels.set(g, slot, -scores.data()[scores.at(row + i) + head]);
        }
      }
    }
  }
}
