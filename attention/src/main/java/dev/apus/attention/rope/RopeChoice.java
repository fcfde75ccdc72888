package dev.apus.attention.rope;

/**
 * Which rotation a layer's sequences get: all the same, or where angles depend on how long a
 * sequence may become, one for each limit.
 *
 * @param spec null for no rotation
 * @param same the rotation of all sequences, if there is one
 */
public record RopeChoice(Rope.Spec spec, Rope same) {

  /**
   * @param context the longest sequence the model was made for
   */
  public static RopeChoice of(Rope.Spec spec, int context) {
    boolean fixed = spec != null && !spec.dependsOnLimit();
    return new RopeChoice(spec, fixed ? Rope.of(spec, context) : null);
  }

  private boolean isByLimit() {
    return spec != null && same == null;
  }

  /** The rotation of a sequence of at most {@code limit} tokens; null for none. */
  public Rope at(int limit) {
    return isByLimit() ? Rope.of(spec, limit) : same;
  }

  /** Equal for limits with the same rotation. */
  public int variant(int limit) {
    return isByLimit() ? at(limit).hashCode() : 0;
  }
}
