package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Reads files of tiktoken: lines of a token's bytes in Base64 and its rank, which is its id.
 *
 * <p>Such a file says neither how text is cut nor which tokens are special; its maker's program
 * does. Four makers are known, by the class that their config names and by the file's name.
 */
final class TiktokenFile {

  private TiktokenFile() {}

  /** What the programs of makers say. */
  private enum Maker {
    QWEN("QWenTokenizer", KnownPatterns.QWEN2, true),
    KIMI("TikTokenTokenizer", KnownPatterns.KIMI, false),
    GLM("ChatGLM4Tokenizer", KnownPatterns.LLAMA3, false),
    LLAMA("", KnownPatterns.LLAMA3, false);

    private final String tokenizerClass;
    private final String pattern;
    private final boolean composed;

    Maker(String tokenizerClass, String pattern, boolean composed) {
      this.tokenizerClass = tokenizerClass;
      this.pattern = pattern;
      this.composed = composed;
    }

    /** The names of special tokens after the last rank, for those that no config names. */
    List<String> special() {
      return switch (this) {
        case QWEN ->
            Stream.concat(
                    Stream.of("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
                    IntStream.range(0, 205).mapToObj(i -> "<|extra_" + i + "|>"))
                .toList();
        case KIMI -> null;
        case GLM -> List.of();
        case LLAMA -> {
          List<String> names = new ArrayList<>();
          names.add("<|begin_of_text|>");
          names.add("<|end_of_text|>");
          IntStream.range(0, 4).forEach(i -> names.add(reserved(i)));
          names.add("<|start_header_id|>");
          names.add("<|end_header_id|>");
          names.add(reserved(4));
          names.add("<|eot_id|>");
          IntStream.range(5, 251).forEach(i -> names.add(reserved(i)));
          yield names;
        }
      };
    }

    private static String reserved(int number) {
      return "<|reserved_special_token_" + number + "|>";
    }
  }

  /** Whether a file of any name is one of tiktoken: it begins with a line of Base64 and 0. */
  static boolean isOne(byte[] file) {
    int end = 0;
    while (end < file.length && end < 64 && file[end] != '\n') {
      end++;
    }
    return new String(file, 0, end, StandardCharsets.ISO_8859_1)
        .strip()
        .matches("[A-Za-z0-9+/=]+ 0");
  }

  static Tokenizer parse(String name, byte[] file, TokenizerConfig config) {
    Maker maker = maker(name, config);
    List<Piece> pieces = pieces(name, file);
    List<AddedToken> added = added(maker, pieces.size(), config);
    Vocabulary vocabulary = Vocabulary.of(name, pieces, added);
    int begin = maker == Maker.LLAMA ? vocabulary.id("<|begin_of_text|>") : Vocabulary.NONE;
    int end = config.named("eos_token", vocabulary);
    return new ComposedTokenizer(
        new ComposedTokenizer.Parts(
            vocabulary,
            added,
            maker.composed ? new UnicodeForm(Normalizer.Form.NFC) : text -> text,
            PreTokenizer.sequence(
                List.of(SplitPreTokenizer.isolating(name, maker.pattern), PreTokenizer.bytes())),
            BytePairModel.ranked(vocabulary),
            template(maker, begin, vocabulary),
            Decoding.byteLevel(),
            begin == Vocabulary.NONE ? config.named("bos_token", vocabulary) : begin,
            end != Vocabulary.NONE
                ? end
                : vocabulary.id(maker == Maker.LLAMA ? "<|end_of_text|>" : "<|endoftext|>"),
            config.mask(vocabulary)));
  }

  private static Maker maker(String name, TokenizerConfig config) {
    String named = config.tokenizerClass();
    if (named == null) {
      return name.endsWith("qwen.tiktoken") ? Maker.QWEN : Maker.LLAMA;
    }
    for (Maker maker : Maker.values()) {
      if (maker.tokenizerClass.equals(named)) {
        return maker;
      }
    }
    throw new TokenizerException(
        String.format(
            Locale.ROOT,
            "%s: its pattern is in the program of tokenizer_class=%s, which is not known; known:"
                + " QWenTokenizer, TikTokenTokenizer, ChatGLM4Tokenizer, and none (Llama 3)",
            name,
            Vocabulary.quoted(named)));
  }

  private static List<Piece> pieces(String name, byte[] file) {
    List<Piece> pieces = new ArrayList<>();
    int number = 0;
    for (String line : new String(file, StandardCharsets.ISO_8859_1).split("\n", -1)) {
      number++;
      if (line.isBlank()) {
        continue;
      }
      String[] parts = line.strip().split(" ", -1);
      if (parts.length != 2 || !parts[1].equals(Integer.toString(pieces.size()))) {
        throw broken(name, number, line, pieces.size(), null);
      }
      try {
        byte[] token = Base64.getDecoder().decode(parts[0]);
        pieces.add(new Piece(ByteAlphabet.spell(token), pieces.size(), 0));
      } catch (IllegalArgumentException e) {
        throw broken(name, number, line, pieces.size(), e);
      }
    }
    return pieces;
  }

  private static TokenizerException broken(
      String name, int number, String line, int rank, Throwable cause) {
    return new TokenizerException(
        String.format(
            Locale.ROOT,
            "%s: line %d is %s; needed: a token in Base64, a space, and the rank %d",
            name,
            number,
            Vocabulary.quoted(line),
            rank),
        cause);
  }

  /**
   * The special tokens that the config names, and for ids that it leaves out those of the maker.
   */
  private static List<AddedToken> added(Maker maker, int first, TokenizerConfig config) {
    List<AddedToken> added = new ArrayList<>(config.added());
    List<String> names = maker.special();
    int count = names == null ? 256 : names.size();
    for (int i = 0; i < count; i++) {
      int id = first + i;
      String content = names == null ? "<|reserved_token_" + id + "|>" : names.get(i);
      boolean named =
          added.stream().anyMatch(token -> token.id() == id || token.content().equals(content));
      if (!named) {
        added.add(AddedToken.literal(id, content, true));
      }
    }
    return added;
  }

  private static Template template(Maker maker, int begin, Vocabulary vocabulary) {
    if (maker == Maker.LLAMA) {
      return new Template(new int[] {begin}, new int[0]);
    }
    if (maker != Maker.GLM) {
      return Template.NONE;
    }
    int mask = vocabulary.id("[gMASK]");
    int start = vocabulary.id("<sop>");
    return mask == Vocabulary.NONE || start == Vocabulary.NONE
        ? Template.NONE
        : new Template(new int[] {mask, start}, new int[0]);
  }
}
