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
  private final Set<Integer> writing = new HashSet<>();
  private final Set<Integer> written = new HashSet<>(Set.of(RESIDUAL, EMBEDDING));
  private final int layers;

  /** Columns {@code [from, from + cols)} of a stream. */
  record Source(int stream, int from, int cols) {}

  /**
   * What a branch reads and writes, by the numbers of the streams.
   *
   * @param joined whether the rows that it reads are put one after the other instead of added
   * @param beside streams whose rows come after those, as they are
   * @param normed values of the rows that may be normalised
   * @param inputs values of the rows that it reads
   * @param outputs values of the rows that it writes
   * @param first whether what it gives takes the place of what is in the stream
   */
  record Flow(
      Source[] reads,
      boolean joined,
      Source[] beside,
      int normed,
      int inputs,
      int writes,
      int outputs,
      boolean first) {}

  Streams(Architecture architecture) {
    add(Wiring.RESIDUAL, architecture.width());
    add(Wiring.EMBEDDING, architecture.width());
    layers = architecture.layers().size();
    architecture.streams().forEach(this::add);
  }

  private void add(String name, int width) {
    if (names.contains(name)) {
      throw new ConfigException("streams: there is a stream \"" + name + "\" in every model");
    }
    names.add(name);
    widths.add(width);
  }

  /**
   * What a branch of the step that is being built reads and writes.
   *
   * @throws ConfigException if it cannot
   */
  Flow flow(Wiring wiring, int layer) {
    Source[] reads = read(wiring.reads().streams(), layer);
    Source[] beside = read(wiring.reads().beside(), layer);
    boolean joined = wiring.reads().joined();
    int normed = 0;
    for (Source source : reads) {
      if (!joined && normed > 0 && normed != source.cols()) {
        throw error(
            layer,
            "adds the streams \"%s\" of %d values and \"%s\" of %d",
            names.get(reads[0].stream()),
            normed,
            names.get(source.stream()),
            source.cols());
      }
      normed = joined ? Math.addExact(normed, source.cols()) : source.cols();
    }
    int inputs = normed;
    for (Source source : beside) {
      inputs = Math.addExact(inputs, source.cols());
    }
    int writes = number(wiring.writes(), layer);
    if (writes == EMBEDDING) {
      throw error(layer, "writes the stream \"%s\", which can only be read", wiring.writes());
    }
    boolean first = writes != RESIDUAL && writing.add(writes);
    return new Flow(reads, joined, beside, normed, inputs, writes, widths.get(writes), first);
  }

  /**
   * What the last norm and the head read.
   *
   * @throws ConfigException if they cannot
   */
  Flow end(Architecture architecture) {
    Wiring.Reads reads = architecture.ends();
    boolean plain = reads.equals(Wiring.PLAIN.reads());
    if (!reads.beside().isEmpty() || (!plain && architecture.hyper() != null)) {
      throw new ConfigException(
          plain || architecture.hyper() == null
              ? "ends: the norm at the end reads all streams, and none can be beside"
              : "ends: hyper-connections end with the residual stream");
    }
    return flow(Wiring.PLAIN.reading(reads), layers);
  }

  /** Streams, or shares of them, that have been written and are now read. */
  private Source[] read(List<String> streams, int layer) {
    return streams.stream().map(name -> read(name, layer)).toArray(Source[]::new);
  }

  private Source read(String name, int layer) {
    boolean shared = name.endsWith(Wiring.OF_LAYER);
    int end = shared ? name.length() - Wiring.OF_LAYER.length() : name.length();
    int number = number(name.substring(0, end), layer);
    if (!written.contains(number)) {
      throw error(layer, "reads the stream \"%s\" before any has written it", names.get(number));
    }
    read.add(number);
    int width = widths.get(number);
    if (!shared) {
      return new Source(number, 0, width);
    }
    if (layer == layers || width % layers != 0) {
      throw error(
          layer,
          "reads its share of \"%s\", whose %d values are not divisible by %d layers",
          names.get(number),
          width,
          layers);
    }
    return new Source(number, layer * (width / layers), width / layers);
  }

  /** Ends a step: what its branches have written can be read from here on. */
  void endStep() {
    written.addAll(writing);
    writing.clear();
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

  private ConfigException error(int layer, String message, Object... parts) {
    String who = layer == layers ? "ends: the model " : "layer " + layer + ": a branch ";
    return new ConfigException(who + String.format(Locale.ROOT, message, parts));
  }
}
