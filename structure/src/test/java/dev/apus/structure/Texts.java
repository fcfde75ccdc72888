package dev.apus.structure;

import dev.apus.core.tokenizer.TokenBytes;
import dev.apus.core.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/** Vocabularies for tests, and questions about texts. */
final class Texts {

  private static final String[] PIECES = {
    "\"}",
    "\"}]",
    "\": \"",
    "\":",
    ", \"",
    "\",\"",
    "{\"",
    "[\"",
    "]}",
    "}}",
    "}}}",
    "],[",
    "[[",
    "[{",
    "{\"a\":",
    "tru",
    "true",
    "false",
    "fal",
    "null",
    "ull",
    "10",
    "00",
    "123",
    "-1",
    "1.",
    ".5",
    "e+",
    "e1",
    "\\u",
    "\\u00",
    "\\n",
    "\\\"",
    "\\ud83d",
    "\\u00e9\"",
    "name",
    "abc",
    " the",
    "  ",
    "\n",
    " \n",
    "an",
    "ab",
    "bc",
    "aa",
    "aaaa",
    "é",
    "éa",
    "🐦",
    "a🐦",
    "2024-",
    "-02-",
    "T12:",
    "@",
    ".com",
    "a@b",
    "k0",
    "k1",
    "k2\"",
    "\"k3\":",
    "0}",
    "1]",
    "5,",
    "\"\"",
    "\"\",",
    "\"a\"",
    "\"a\":",
    " \"",
    " [",
    " {",
    " 1"
  };

  private Texts() {}

  /** A vocabulary at the level of bytes: all of them, and pieces that cut constructs anywhere. */
  static TokenBytes vocabulary() {
    return vocabulary(tokens());
  }

  /** The tokens of {@link #vocabulary()} as vocabularies of bytes spell them. */
  static List<String> spellings() {
    return tokens().stream().map(Texts::spell).distinct().toList();
  }

  private static List<byte[]> tokens() {
    List<byte[]> tokens = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      tokens.add(new byte[] {(byte) b});
    }
    for (String piece : PIECES) {
      tokens.add(piece.getBytes(StandardCharsets.UTF_8));
    }
    // The end of one character and the beginning of the next, and halves of one.
    tokens.add(new byte[] {(byte) 0x9F, (byte) 0x90});
    tokens.add(new byte[] {(byte) 0xA9, (byte) 0xF0});
    tokens.add(new byte[] {(byte) 0xA6, '"'});
    tokens.add(new byte[] {'a', (byte) 0xC3});
    return tokens;
  }

  /** The id of the token that ends a text in {@link #vocabulary}. */
  static int end(TokenBytes vocabulary) {
    return vocabulary.size() - 1;
  }

  /** A vocabulary of these tokens and one, the last, that ends texts. */
  static TokenBytes vocabulary(List<byte[]> tokens) {
    Set<String> spelled = new LinkedHashSet<>();
    tokens.forEach(token -> spelled.add(spell(token)));
    List<String> all = new ArrayList<>(spelled);
    all.add("<|end|>");
    return TokenBytes.of(tokenizer(all, all.size() - 1));
  }

  /**
   * A tokenizer of byte pairs that merges none.
   *
   * @param plain how many tokens, the first ones, are not special
   */
  static Tokenizer tokenizer(List<String> tokens, int plain) {
    int[] types = new int[tokens.size()];
    Arrays.fill(types, 0, plain, 1);
    Arrays.fill(types, plain, types.length, 3);
    return Tokenizer.ofGguf(
        "test",
        Map.of(
            "tokenizer.ggml.model",
            "gpt2",
            "tokenizer.ggml.pre",
            "gpt-2",
            "tokenizer.ggml.tokens",
            tokens,
            "tokenizer.ggml.merges",
            List.of(),
            "tokenizer.ggml.token_type",
            types));
  }

  /** A text as vocabularies of bytes spell it. */
  static String spell(String text) {
    return spell(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String spell(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte each : bytes) {
      int b = each & 0xFF;
      text.append((char) character(b));
    }
    return text.toString();
  }

  private static int character(int b) {
    int moved = 0;
    for (int i = 0; i < 256; i++) {
      boolean visible = (i > ' ' && i < 0x7F) || (i > 0xA0 && i != 0xAD);
      if (i == b) {
        return visible ? b : 0x100 + moved;
      }
      moved += visible ? 0 : 1;
    }
    throw new AssertionError(b);
  }

  /** Whether a grammar has a text. */
  static boolean accepts(Node node, String text) {
    Automaton automaton = new Automaton(node, JsonText.CHARACTER);
    State state = automaton.start();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      state = automaton.after(state, b & 0xFF);
    }
    return state.complete;
  }

  static Node schema(String schema) {
    return SchemaGrammar.of(Walk.read(schema), new JsonText(CodePoints.ALL));
  }

  /** One of the given ways to cut bytes into tokens of a vocabulary. */
  static int[] cut(byte[] bytes, TokenBytes vocabulary, RandomGenerator random) {
    List<Integer> tokens = new ArrayList<>();
    for (int at = 0; at < bytes.length; ) {
      List<Integer> fitting = new ArrayList<>();
      for (int token = 0; token < vocabulary.size(); token++) {
        byte[] text = vocabulary.of(token, at == 0);
        if (text.length > 0
            && at + text.length <= bytes.length
            && Arrays.equals(bytes, at, at + text.length, text, 0, text.length)) {
          fitting.add(token);
        }
      }
      int token = fitting.get(random.nextInt(fitting.size()));
      tokens.add(token);
      at += vocabulary.of(token, at == 0).length;
    }
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }
}
