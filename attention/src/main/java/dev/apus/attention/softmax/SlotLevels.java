package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention.Levels;
import java.util.List;

/**
 * What the pages of a cache keep of forgetting, or of scores that tokens have of their own.
 *
 * @param pages by their spans
 */
record SlotLevels(CacheLayout layout, List<CachePage> pages) {

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
