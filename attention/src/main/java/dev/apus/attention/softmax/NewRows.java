package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Levels;
import dev.apus.kernels.attention.Attention.Piece;
import java.util.List;

/**
 * Rows of keys and values that have slots in a cache and are still to be stored there, maybe with
 * levels of forgetting or scores of their own.
 *
 * @param layout of the slots
 * @param pages by their spans
 * @param first slot of the rows
 * @param row the first of the rows
 */
record NewRows(
    CacheLayout layout, List<CachePage> pages, Matrix k, Matrix v, int first, int row, int rows) {

  /**
   * Storing a value takes about as long as computing so many: keys lie each in a line of its own.
   */
  private static final int STORE_VALUES = 16;

  /** The slot after theirs. */
  int end() {
    return Math.addExact(first, rows);
  }

  /** Stores those of all heads. */
  void store(Pass pass) {
    int heads = layout.heads();
    pass.eachRow(
        heads * rows,
        STORE_VALUES * (k.cols() + v.cols()) / heads,
        (from, to, worker) -> {
          for (int unit = from; unit < to; unit++) {
            store(unit / rows, unit % rows);
          }
        });
  }

  /** Stores those of one head, and of the head of values with its number. */
  void store(int head) {
    for (int i = 0; i < rows; i++) {
      store(head, i);
    }
  }

  private void store(int head, int i) {
    Attention kernel = layout.kernel();
    int slot = first + i;
    Piece at = pages.get(slot / SLOTS).head(head);
    int kAt = k.at(row + i) + head * layout.keyDim();
    kernel.storeKeys(k.data(), kAt, layout.keyDim(), at.keys(), at.keysAt(), slot);
    if (head < layout.valueHeads()) {
      int vAt = v.at(row + i) + head * layout.valueDim();
      kernel.storeValues(v.data(), vAt, layout.valueDim(), at.values(), at.valuesAt(), slot);
    }
  }

  /**
   * Sets the levels of their slots of those before them.
   *
   * @param kept the logarithm of what each head keeps of what came before a row
   */
  void descend(Matrix kept) {
    for (int i = 0; i < rows; i++) {
      for (int head = 0; head < layout.heads(); head++) {
        int at = kept.at(row + i) + head * layout.forgetting();
        descend(head, first + i, kept.data(), at);
      }
    }
  }

  private void descend(int head, int slot, float[] kept, int keptAt) {
    Levels levels = pages.get(slot / SLOTS).head(head).levels();
    boolean begins = slot % SLOTS == 0;
    Levels before = begins && slot > 0 ? pages.get(slot / SLOTS - 1).head(head).levels() : null;
    for (int g = 0; g < layout.forgetting(); g++) {
      if (begins) {
        levels.setBase(g, before == null ? 0 : before.level(g, slot - 1));
      }
      float sum = begins ? 0 : levels.sum(g, slot - 1);
      levels.set(g, slot, sum + kept[keptAt + g]);
    }
  }

  /**
   * Sets the levels of their slots to scores that are added to those of their keys.
   *
   * @param scores a value for each key head
   */
  void score(Matrix scores) {
    for (int i = 0; i < rows; i++) {
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
