package dev.apus.core.hub;

/** Hears how a pull goes. Called from several threads, one at a time. */
public interface PullListener {

  /** Hears nothing. */
  PullListener NONE = new PullListener() {};

  /**
   * What is to come, once known.
   *
   * @param bytes of all files together
   * @param present how many of these are here already
   */
  default void begins(int files, long bytes, long present) {}

  /** Bytes that came; below 0 if some that came before have to come again. */
  default void received(long bytes) {}

  /** A sentence about something that went wrong and is tried again. */
  default void tellsTrouble(String sentence) {}
}
