package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Reads the vocabulary of RWKV's World models: lines of an id, a token as Python spells it, and the
 * token's length in bytes.
 */
final class RwkvFile {

  /** The token 0, which no line names, ends texts. */
  private static final String END = "<|rwkv_tokenizer_end_of_text|>";

  private RwkvFile() {}

  static Tokenizer parse(String name, byte[] file) {
    return tokenizer(name, pieces(name, file), AddedToken.literal(0, END, true));
  }

  /** The tokens of a file, spelled in the alphabet of bytes. */
  static List<Piece> pieces(String name, byte[] file) {
    List<Piece> pieces = new ArrayList<>();
    int number = 0;
    for (String line : new String(file, StandardCharsets.UTF_8).split("\n", -1)) {
      number++;
      if (!line.isBlank()) {
        pieces.add(piece(name + ": line " + number, line.strip()));
      }
    }
    return pieces;
  }

  private static Piece piece(String where, String line) {
    int first = line.indexOf(' ');
    int last = line.lastIndexOf(' ');
    try {
      int id = Integer.parseInt(line.substring(0, Math.max(first, 0)));
      int length = Integer.parseInt(line.substring(last + 1));
      byte[] token = literal(line.substring(first + 1, Math.max(last, first + 1)));
      if (id > 0 && id <= Vocabulary.LARGEST_ID && token.length == length && length > 0) {
        return new Piece(ByteAlphabet.spell(token), id, 0);
      }
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw broken(where, line, e);
    }
    throw broken(where, line, null);
  }

  private static TokenizerException broken(String where, String line, Throwable cause) {
    return new TokenizerException(
        String.format(
            Locale.ROOT,
            "%s is %s; needed: an id above 0, a token as Python spells it, and its length in bytes",
            where,
            Vocabulary.quoted(line)),
        cause);
  }

  /** The bytes of a Python literal, {@code '…'} or {@code b'…'} in either quotes. */
  private static byte[] literal(String spelled) {
    boolean raw = spelled.startsWith("b");
    int from = raw ? 1 : 0;
    char quote = spelled.charAt(from);
    int end = spelled.length() - 1;
    if ((quote != '\'' && quote != '"') || end <= from || spelled.charAt(end) != quote) {
      throw new IllegalArgumentException("no literal");
    }
    return unescaped(spelled.substring(from + 1, end), raw);
  }

  /**
   * The bytes of a text with Python's escapes.
   *
   * @param bytes whether {@code \xff} is a byte and not a character
   * @throws IllegalArgumentException or {@link IndexOutOfBoundsException} if an escape is broken
   */
  static byte[] unescaped(String text, boolean bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int at = 0; at < text.length(); ) {
      int c = text.codePointAt(at);
      at += Character.charCount(c);
      if (c != '\\') {
        out.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      char kind = text.charAt(at++);
      int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
      int value = digits == 0 ? plain(kind) : Integer.parseInt(text, at, at + digits, 16);
      at += digits;
      if (bytes && kind == 'x') {
        out.write(value);
      } else {
        out.writeBytes(Character.toString(value).getBytes(StandardCharsets.UTF_8));
      }
    }
    return out.toByteArray();
  }

  /** Bytes with the escapes that {@link #unescaped} reads. */
  static String escaped(byte[] bytes) {
    StringBuilder escaped = new StringBuilder();
    for (byte b : bytes) {
      switch (b) {
        case '\n' -> escaped.append("\\n");
        case '\t' -> escaped.append("\\t");
        case '\r' -> escaped.append("\\r");
        case '\\', '\'' -> escaped.append('\\').append((char) b);
        default -> {
          if (b >= ' ' && b < 0x7F) {
            escaped.append((char) b);
          } else {
            escaped.append("\\x").append(HexFormat.of().toHexDigits(b));
          }
        }
      }
    }
    return escaped.toString();
  }

  private static int plain(char kind) {
    return switch (kind) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      case '0' -> 0;
      case 'a' -> 7;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'v' -> 0x0B;
      case '\\', '\'', '"' -> kind;
      default -> throw new IllegalArgumentException("no escape: \\" + kind);
    };
  }

  /** The tokenizer of tokens that are spelled in the alphabet of bytes. */
  static Tokenizer tokenizer(String name, List<Piece> pieces, AddedToken end) {
    Set<String> names = new HashSet<>();
    pieces.forEach(piece -> names.add(piece.text()));
    List<AddedToken> added =
        List.of(names.contains(end.content()) ? AddedToken.literal(end.id(), END, true) : end);
    Vocabulary vocabulary = Vocabulary.of(name, pieces, added);
    return new ComposedTokenizer(
        new ComposedTokenizer.Parts(
            vocabulary,
            added,
            text -> text,
            PreTokenizer.bytes(),
            new LongestModel(name, vocabulary),
            Template.NONE,
            Decoding.byteLevel(),
            Vocabulary.NONE,
            end.id(),
            Vocabulary.NONE));
  }
}
