package dev.apus.core.routing;

/** Hears which experts the tokens of a text are given to. */
@FunctionalInterface
public interface RouteListener {

  /**
   * Is told of one token in one layer, on the thread that computes; what it throws ends the step,
   * which is then undone.
   *
   * @param layer counted from 0
   * @param position of the token in its text
   * @param experts that were chosen, ascending; those after the last real one give nothing
   * @param weights how much each counts
   * @param among how many there were to choose from
   */
  void routed(int layer, int position, int[] experts, float[] weights, int among);
}
