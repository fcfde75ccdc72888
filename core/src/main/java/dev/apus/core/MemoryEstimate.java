package dev.apus.core;

/**
 * What a model and its sessions will take, known before any matrix is read.
 *
 * @param weightBytes memory of the weights; of mapped ones, the pages of the file
 * @param stateBytes what a session takes however short it is
 * @param stateBytesPerToken by which it grows with each token
 * @param windowBytes what it takes at most for tokens that later ones take the place of
 * @param context the longest text that the model was made for
 * @param freeBytes memory that was free when this was estimated
 */
public record MemoryEstimate(
    long weightBytes,
    long stateBytes,
    long stateBytesPerToken,
    long windowBytes,
    int context,
    long freeBytes) {

  /** What the JVM, the vocabulary and activations take besides. */
  static final long BESIDE_BYTES = 160L << 20;

  /** What a session takes when it has become so long. */
  public long sessionBytes(int tokens) {
    return stateBytes + windowBytes + tokens * stateBytesPerToken;
  }

  /** What the model and one session of such a length need, with what the JVM takes besides. */
  public long neededBytes(int tokens) {
    return weightBytes + BESIDE_BYTES + sessionBytes(tokens);
  }

  /**
   * The longest session for which the free memory is enough; 0 if the weights alone are too much.
   */
  public int largestContext() {
    long left = freeBytes - neededBytes(0);
    if (left < 0) {
      return 0;
    }
    long tokens = stateBytesPerToken == 0 ? context : left / stateBytesPerToken;
    return (int) Math.min(context, tokens);
  }
}
