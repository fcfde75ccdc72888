package dev.apus.core.weight;

import java.util.Locale;

/**
 * How much memory the experts of a model may take together, for models that are larger than the
 * memory; it changes no bit of what they compute.
 *
 * @param bytes the most that experts take; those that find no room are computed with from the file
 * @param foreseeing whether experts that the next layer will probably ask are read beforehand
 */
public record ExpertMemory(long bytes, boolean foreseeing) {

  /** Every expert lies where all other weights lie. */
  public static final ExpertMemory UNLIMITED = new ExpertMemory(Long.MAX_VALUE, false);

  public ExpertMemory {
    if (bytes < 1) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "experts in %d bytes; needed is 1 at least", bytes));
    }
  }

  /** Experts are kept in at most so much memory, those asked last. */
  public static ExpertMemory of(long bytes) {
    return new ExpertMemory(bytes, false);
  }

  /** Also reads beforehand what the next layer will probably ask. */
  public ExpertMemory foreseen() {
    return new ExpertMemory(bytes, true);
  }

  boolean isLimited() {
    return bytes != Long.MAX_VALUE;
  }
}
