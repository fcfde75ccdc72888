package dev.apus.core.chat;

import dev.apus.core.tokenizer.Tokenizer;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Keeps what people write from posing as the model's own marks: a special token's name in a message
 * stays a text, while the same name in the template is the token.
 *
 * <p>A name in a message is broken by a character that no text has. The template may move, cut and
 * trim the message as it likes; when the text becomes tokens, the character is gone.
 */
final class Guard {

  /** A code point that Unicode keeps out of texts. */
  private static final char BREAK = '\ufdd0';

  private final Tokenizer tokenizer;
  private final Pattern names;

  Guard(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    String any =
        IntStream.range(0, tokenizer.vocabularySize())
            .filter(id -> isSpecial(tokenizer, id))
            .mapToObj(tokenizer::token)
            .filter(name -> !name.isEmpty())
            .sorted(Comparator.comparing(String::length).reversed())
            .map(Pattern::quote)
            .collect(Collectors.joining("|"));
    this.names = any.isEmpty() ? null : Pattern.compile(any);
  }

  private static boolean isSpecial(Tokenizer tokenizer, int id) {
    try {
      return tokenizer.isSpecial(id);
    } catch (IllegalArgumentException gap) {
      return false;
    }
  }

  /** A text that somebody wrote, in which no name is whole. */
  String guarded(String text) {
    String clean = text.replace(BREAK, '\ufffd');
    if (names == null) {
      return clean;
    }
    Matcher matcher = names.matcher(clean);
    StringBuilder out = new StringBuilder();
    int from = 0;
    while (matcher.find(from)) {
      int end = matcher.start() + Character.charCount(clean.codePointAt(matcher.start()));
      out.append(clean, from, end).append(BREAK);
      from = end;
      matcher.region(from, clean.length());
    }
    return out.append(clean, from, clean.length()).toString();
  }

  /** The tokens of a template's text, in which names are tokens unless they were guarded. */
  int[] tokens(String text) {
    if (text.indexOf(BREAK) < 0) {
      return tokenizer.encode(text, false, true);
    }
    Matcher matcher = names.matcher(text);
    IntStream.Builder tokens = IntStream.builder();
    int from = 0;
    while (matcher.find()) {
      plain(text.substring(from, matcher.start()), tokens);
      tokens.add(tokenizer.id(matcher.group()).orElseThrow());
      from = matcher.end();
    }
    plain(text.substring(from), tokens);
    return tokens.build().toArray();
  }

  private void plain(String text, IntStream.Builder tokens) {
    String unbroken = text.replace(String.valueOf(BREAK), "");
    for (int token : tokenizer.encode(unbroken, false, false)) {
      tokens.add(token);
    }
  }
}
