package dev.apus.core.generate;

/** Checks of settings. */
final class Ranges {

  private Ranges() {}

  /**
   * Requires a number of a range.
   *
   * @throws IllegalArgumentException naming the setting, what it is and what is needed
   */
  static void require(float value, float least, float most, String setting, String needed) {
    if (!(value >= least && value <= most)) {
      throw new IllegalArgumentException(setting + "=" + value + "; needed: " + needed);
    }
  }

  /** Requires a probability. */
  static void requireShare(float value, String setting) {
    require(value, 0, 1, setting, "0 to 1");
  }
}
