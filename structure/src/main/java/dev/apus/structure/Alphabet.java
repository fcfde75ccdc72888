package dev.apus.structure;

import dev.apus.core.tokenizer.TokenBytes;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * What can be written with a vocabulary: characters, and special tokens, which write nothing and
 * are symbols of their own in a grammar. A symbol is spelled in bytes that UTF-8 never uses, so
 * that grammars, states and masks need to know of bytes alone.
 */
final class Alphabet {

  /** All characters, and no special tokens. */
  static final Alphabet ALL = new Alphabet(CodePoints.ALL, Map.of(), Set.of());

  /** The first byte that no text has. */
  static final int SYMBOLS = 0xF8;

  private static final int BEGIN = 0xFF;
  private static final int DIGITS = BEGIN - SYMBOLS;
  private static final int LENGTH = 8;

  private final CodePoints characters;
  private final Map<String, Integer> specials;
  private final Set<Integer> ends;
  private final Map<Integer, byte[]> symbols = new HashMap<>();

  private Alphabet(CodePoints characters, Map<String, Integer> specials, Set<Integer> ends) {
    this.characters = characters;
    this.specials = specials;
    this.ends = ends;
  }

  static Alphabet of(CodePoints characters, TokenBytes tokens, Set<Integer> ends) {
    return new Alphabet(characters, tokens.specials(), ends);
  }

  /** The characters that can be written by themselves. */
  CodePoints characters() {
    return characters;
  }

  /** The special tokens that have been spelled, and how. */
  Map<Integer, byte[]> symbols() {
    return symbols;
  }

  /**
   * The bytes of a text in which names of special tokens are these tokens; null if it cannot be
   * written, or ends a text.
   */
  byte[] spelled(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int at = 0; at < text.length(); ) {
      String name = special(text, at);
      if (name == null) {
        int character = text.codePointAt(at);
        if (!characters.contains(character)) {
          return null;
        }
        String one = Character.toString(character);
        bytes.writeBytes(one.getBytes(StandardCharsets.UTF_8));
        at += one.length();
      } else if (ends.contains(specials.get(name))) {
        return null;
      } else {
        bytes.writeBytes(symbols.computeIfAbsent(specials.get(name), Alphabet::symbol));
        at += name.length();
      }
    }
    return bytes.toByteArray();
  }

  /** Whether a text has no names of special tokens. */
  boolean isPlain(String text) {
    for (int at = 0; at < text.length(); at++) {
      if (special(text, at) != null) {
        return false;
      }
    }
    return true;
  }

  /** The longest name that begins at a place; null if there is none. */
  private String special(String text, int at) {
    String longest = null;
    for (String name : specials.keySet()) {
      boolean longer = longest == null || name.length() > longest.length();
      if (longer && text.startsWith(name, at)) {
        longest = name;
      }
    }
    return longest;
  }

  private static byte[] symbol(int token) {
    byte[] bytes = new byte[LENGTH];
    bytes[0] = (byte) BEGIN;
    int rest = token;
    for (int digit = 1; digit < LENGTH; digit++) {
      bytes[digit] = (byte) (SYMBOLS + rest % DIGITS);
      rest /= DIGITS;
    }
    return bytes;
  }

  /** A text in which names of special tokens are these tokens. */
  Node text(String text) {
    byte[] bytes = spelled(text);
    return bytes == null ? Nodes.NONE : bytes.length == 0 ? Node.EMPTY : new Node.Bytes(bytes, 0);
  }
}
