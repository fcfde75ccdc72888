package dev.apus.core.weight;

import dev.apus.core.weight.WeightScope.Typical;
import java.util.List;

/** Where the weights of one model come from: a checkpoint, or a seed. */
public interface WeightSource {

  /**
   * Which weight is meant.
   *
   * @param name ours, such as {@code attention.q}, without layer and expert
   * @param layer the layer, or −1 outside the layers
   * @param expert the expert, or −1
   */
  record Key(String name, int layer, int expert) {

    @Override
    public String toString() {
      return (layer < 0 ? "" : "layer " + layer + " ")
          + name
          + (expert < 0 ? "" : " of expert " + expert);
    }
  }

  /**
   * The rows of a weight.
   *
   * @throws WeightException if the source has none or has another shape
   */
  StoredRows find(Key key, int rows, int cols, Typical typical);

  /**
   * Checks that a weight which another one stands for is, where the source holds it at all, the
   * same.
   *
   * @throws WeightException if it is not
   */
  default void expectCopy(Key copy, Key original, int rows, int cols) {}

  /** How many bytes all weights take as stored; many, if that is not known. */
  default long bytes() {
    return Long.MAX_VALUE;
  }

  /**
   * Says that what was found under a key has been copied, for now: memory that can be read again
   * may be given back. The rows that were found stay valid.
   */
  default void release(Key key) {}

  /**
   * What the source holds and nobody has asked for; such a weight is one that the model forgets.
   */
  List<String> unread();
}
