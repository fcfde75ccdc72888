package dev.apus.core.generate;

/**
 * Finds the border of a nucleus (Holtzman et al., 2020) by partitioning, as quickselect does: only
 * the side on which the border lies is looked at again, so nothing is sorted.
 */
final class Nucleus {

  private int[] order = new int[0];
  private float[] logits;
  private int[] ids;
  private double[] weights;

  /**
   * The worst of the shortest list of best tokens, at least one, that weighs {@code share} of the
   * total. Tokens are given and returned by their places in {@code ids} and {@code weights}.
   */
  int border(float[] logits, int[] ids, double[] weights, int count, float share) {
    this.logits = logits;
    this.ids = ids;
    this.weights = weights;
    double total = Logits.sum(weights, count);
    int size = shortlist(count, (1.0 - share) * total / count);
    int kept = partition(size, share * total);
    int worst = order[0];
    for (int i = 1; i < kept; i++) {
      worst = better(worst, order[i]) ? order[i] : worst;
    }
    return worst;
  }

  /**
   * Leaves out tokens so light that all of them together, if there were only such, could not weigh
   * what the nucleus may lack: with one of them the list would not be the shortest.
   */
  private int shortlist(int count, double least) {
    if (order.length < count) {
      order = new int[count];
    }
    int size = 0;
    for (int place = 0; place < count; place++) {
      if (weights[place] >= least) {
        order[size++] = place;
      }
    }
    return size;
  }

  /** Moves the nucleus to the front of the order and returns its size. */
  private int partition(int size, double needed) {
    double missing = needed;
    int low = 0;
    int high = size;
    while (high - low > 1) {
      int pivotAt = partition(low, high);
      double weight = 0;
      for (int i = low; i < pivotAt; i++) {
        weight += weights[order[i]];
      }
      double withPivot = weight + weights[order[pivotAt]];
      if (weight >= missing) {
        high = pivotAt;
      } else if (withPivot >= missing) {
        return pivotAt + 1;
      } else {
        missing -= withPivot;
        low = pivotAt + 1;
      }
    }
    return Math.max(1, high);
  }

  /** Moves what is better than a pivot before it and the rest behind; returns its place. */
  private int partition(int low, int high) {
    swap((low + high) >>> 1, high - 1);
    int pivot = order[high - 1];
    int at = low;
    for (int i = low; i < high - 1; i++) {
      if (better(order[i], pivot)) {
        swap(i, at++);
      }
    }
    swap(at, high - 1);
    return at;
  }

  private boolean better(int a, int b) {
    float left = logits[ids[a]];
    float right = logits[ids[b]];
    return left > right || (left == right && ids[a] < ids[b]);
  }

  private void swap(int a, int b) {
    int place = order[a];
    order[a] = order[b];
    order[b] = place;
  }
}
