package dev.apus.core.compute;

/** Hears which experts the rows of a pass are given to. */
@FunctionalInterface
public interface RowRoutes {

  /**
   * Is told of all rows of one layer.
   *
   * @param chosen {@code top} experts for each row, ascending; {@code among} in the last places if
   *     there are fewer
   * @param weights theirs
   * @param among how many there were to choose from
   */
  void routed(int layer, int top, int[] chosen, float[] weights, int among);
}
