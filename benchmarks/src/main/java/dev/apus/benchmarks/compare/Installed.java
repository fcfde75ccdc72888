package dev.apus.benchmarks.compare;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An engine as a command line names it.
 *
 * @param name what a report calls it
 * @param options its own, for every run
 */
record Installed(String name, Path path, List<String> options) {

  private static final Pattern NAMED = Pattern.compile("([^=/\\\\ ]+)=(.+)");

  /**
   * Reads {@code [NAME=]PATH [OPTION…]}; a path with spaces can have no options.
   *
   * @param kind what it is called if the text does not say
   */
  static Installed parse(String text, String kind) {
    Matcher named = NAMED.matcher(text);
    boolean isNamed = named.matches();
    String name = isNamed ? named.group(1) : kind;
    String rest = (isNamed ? named.group(2) : text).strip();
    if (Files.exists(Path.of(rest))) {
      return new Installed(name, Path.of(rest).toAbsolutePath(), List.of());
    }
    List<String> words = List.of(rest.split("\\s+"));
    return new Installed(
        name, Path.of(words.getFirst()).toAbsolutePath(), words.subList(1, words.size()));
  }

  /** Why it cannot be started, or null. */
  String missing() {
    return Files.exists(path) ? null : path + " is not there";
  }
}
