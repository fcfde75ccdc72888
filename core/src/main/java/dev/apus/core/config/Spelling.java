package dev.apus.core.config;

import java.util.Comparator;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a file calls the keys that its reader knows under other names.
 *
 * <p>Messages are written by whoever reads a setting, in the reader's words; they are put into the
 * file's words as a whole, so that no reader needs to know which file it reads.
 */
record Spelling(Map<String, String> words, Pattern known) {

  /** Keys that are called what they are. */
  static final Spelling AS_IS = new Spelling(Map.of(), null);

  static Spelling of(Map<String, String> words) {
    if (words.isEmpty()) {
      return AS_IS;
    }
    // Longer keys first: one key may begin another.
    String any =
        words.keySet().stream()
            .sorted(Comparator.comparingInt(String::length).reversed())
            .map(Pattern::quote)
            .collect(Collectors.joining("|"));
    return new Spelling(
        Map.copyOf(words), Pattern.compile("(?<![\\w.])(?:" + any + ")(?!\\w|\\.\\w)"));
  }

  /** A message in the file's words. */
  String apply(String message) {
    return known == null
        ? message
        : known
            .matcher(message)
            .replaceAll(found -> Matcher.quoteReplacement(words.get(found.group())));
  }
}
