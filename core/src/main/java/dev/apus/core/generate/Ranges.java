package dev.apus.core.generate;

/** Checks of settings, which say what a setting is and what is needed. */
public final class Ranges {

  private Ranges() {}

  /**
   * Requires something of a setting.
   *
   * @param needed what it should have been, in words
   * @throws IllegalArgumentException naming the setting, what it is and what is needed
   */
  public static void require(boolean holds, String setting, Object value, String needed) {
    if (!holds) {
      throw new IllegalArgumentException(setting + "=" + value + "; needed: " + needed);
    }
  }

  /** Requires a number of a range. */
  static void require(float value, float least, float most, String setting, String needed) {
    require(value >= least && value <= most, setting, value, needed);
  }

  /** Requires a probability. */
  static void requireShare(float value, String setting) {
    require(value, 0, 1, setting, "0 to 1");
  }
}
