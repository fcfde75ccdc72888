package dev.apus.attention.softmax;

import java.util.Arrays;

/** The greatest of some values, of equal ones those that come first. */
final class Greatest {

  private Greatest() {}

  /**
   * Writes the indices of the {@code most} greatest, or of all if there are fewer, ascending.
   *
   * @return how many they are
   */
  static int indices(float[] values, int at, int count, int most, int[] indices, int indicesAt) {
    int found = Math.min(count, most);
    float[] best = new float[found];
    int size = 0;
    for (int i = 0; i < count && found > 0; i++) {
      float value = values[at + i];
      if (size == found && !(value > best[size - 1])) {
        continue;
      }
      int to = size < found ? size++ : size - 1;
      for (; to > 0 && value > best[to - 1]; to--) {
        best[to] = best[to - 1];
        indices[indicesAt + to] = indices[indicesAt + to - 1];
      }
      best[to] = value;
      indices[indicesAt + to] = i;
    }
    Arrays.sort(indices, indicesAt, indicesAt + found);
    return found;
  }
}
