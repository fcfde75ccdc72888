package dev.apus.attention.softmax;

/**
 * Which rotation a layer's sequences get: all the same, or where angles depend on how long a
 * sequence may become, one for each limit.
 *
 * @param spec null for no rotation
 * @param same the rotation of all sequences, if there is one
 */
record RopeChoice(Rope.Spec spec, Rope same) {

  /**
   * @param context the longest sequence the model was made for
   */
  static RopeChoice of(Rope.Spec spec, int context) {
    boolean fixed = spec != null && !spec.dependsOnLimit();
    return new RopeChoice(spec, fixed ? Rope.of(spec, context) : null);
  }

  private boolean isByLimit() {
    return spec != null && same == null;
  }

  /** The rotation of a sequence of at most {@code limit} tokens; null for none. */
  Rope at(int limit) {
    return isByLimit() ? Rope.of(spec, limit) : same;
  }

  /** Equal for limits with the same rotation. */
  int variant(int limit) {
    return isByLimit() ? at(limit).hashCode() : 0;
  }
}
