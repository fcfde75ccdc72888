package dev.apus.core.weight;

/**
 * How well the experts of a model fit the memory they were given.
 *
 * @param experts how many there are in all layers
 * @param places how many of them fit at a time
 * @param expertBytes what the largest expert takes
 * @param bytes what all places take
 * @param held what experts take all the same while they have no place: those that were read from no
 *     file, such as random ones
 * @param asked how often an expert was asked by a step
 * @param present how often it was in memory then
 * @param loaded how often one was brought in because it was asked
 * @param streamed how often one was computed with from the file
 * @param foreseen how often one was brought in before it was asked
 * @param foreseenAsked how many of these were asked before they had to go
 */
public record ExpertStatistics(
    int experts,
    int places,
    long expertBytes,
    long bytes,
    long held,
    long asked,
    long present,
    long loaded,
    long streamed,
    long foreseen,
    long foreseenAsked) {

  /** The share of uses that found their expert in memory; 1 before the first. */
  public double hitRate() {
    return asked == 0 ? 1 : present / (double) asked;
  }
}
