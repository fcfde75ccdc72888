package dev.apus.core.model;

import dev.apus.core.config.ConfigException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The streams of a model by their numbers, and what has been read and written so far. */
final class Streams {

  /** The numbers of the streams that every model has. */
  static final int RESIDUAL = 0;

  static final int EMBEDDING = 1;

  private final List<String> names = new ArrayList<>();
  private final List<Integer> widths = new ArrayList<>();
  private final Set<Integer> read = new HashSet<>();
  private final Set<Integer> written = new HashSet<>(Set.of(RESIDUAL, EMBEDDING));

  Streams(Architecture architecture) {
    add(Wiring.RESIDUAL, architecture.width());
    add(Wiring.EMBEDDING, architecture.width());
    architecture.streams().forEach(this::add);
  }

  private void add(String name, int width) {
    if (names.contains(name)) {
      throw new ConfigException("streams: there is a stream \"" + name + "\" in every model");
    }
    names.add(name);
    widths.add(width);
  }

  /** The numbers of the streams that a branch reads. */
  int[] reading(Wiring.Reads reads, int layer) {
    int[] numbers = reads.streams().stream().mapToInt(name -> number(name, layer)).toArray();
    for (int number : numbers) {
      if (!written.contains(number)) {
        throw error(layer, "reads the stream \"%s\" before any has written it", names.get(number));
      }
      if (!reads.joined() && !widths.get(number).equals(widths.get(numbers[0]))) {
        throw error(
            layer,
            "adds the streams \"%s\" of %d values and \"%s\" of %d",
            names.get(numbers[0]),
            widths.get(numbers[0]),
            names.get(number),
            widths.get(number));
      }
      read.add(number);
    }
    return numbers;
  }

  /** The number of the stream that a branch writes; others see it when {@link #wrote} was said. */
  int writing(String name, int layer) {
    int number = number(name, layer);
    if (number == EMBEDDING) {
      throw error(layer, "writes the stream \"%s\", which can only be read", name);
    }
    return number;
  }

  void wrote(int number) {
    written.add(number);
  }

  /**
   * Checks that nothing is written in vain.
   *
   * @throws ConfigException naming a stream that nobody reads
   */
  void expectAllRead() {
    for (int number = EMBEDDING + 1; number < names.size(); number++) {
      if (!read.contains(number)) {
        throw new ConfigException(
            "streams: no branch reads the stream \"" + names.get(number) + "\"");
      }
    }
  }

  int width(int number) {
    return widths.get(number);
  }

  /** The width of each stream by number; 0 for one that nobody reads. */
  int[] widths() {
    int[] used = new int[names.size()];
    for (int number = 0; number < used.length; number++) {
      used[number] = number == RESIDUAL || read.contains(number) ? widths.get(number) : 0;
    }
    return used;
  }

  private int number(String name, int layer) {
    int number = names.indexOf(name);
    if (number < 0) {
      throw error(
          layer, "names the stream \"%s\"; the model has %s", name, String.join(", ", names));
    }
    return number;
  }

  private static ConfigException error(int layer, String message, Object... parts) {
    return new ConfigException(
        "layer " + layer + ": a branch " + String.format(Locale.ROOT, message, parts));
  }
}
