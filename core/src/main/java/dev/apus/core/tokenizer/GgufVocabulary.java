package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** The keys of a GGUF header that describe a vocabulary. */
final class GgufVocabulary {

  static final String PREFIX = "tokenizer.ggml.";

  private static final List<String> STEERING =
      List.of("bos", "eos", "eot", "eom", "cls", "seperator", "mask", "unknown");

  final String name;
  private final Map<String, ?> metadata;

  GgufVocabulary(String name, Map<String, ?> metadata) {
    this.name = name;
    this.metadata = metadata;
  }

  boolean has(String key) {
    return metadata.containsKey(PREFIX + key);
  }

  boolean flag(String key, boolean otherwise) {
    Object value = metadata.get(PREFIX + key);
    if (value != null && !(value instanceof Boolean)) {
      throw wrong(key, "true or false");
    }
    return value == null ? otherwise : (Boolean) value;
  }

  /** The tokens that {@link #types} are of, with their scores. */
  List<Piece> pieces(List<PieceType> types) {
    List<String> tokens = texts("tokens");
    double[] scores = scores(tokens.size());
    List<Piece> pieces = new ArrayList<>(types.size());
    for (int id = 0; id < types.size(); id++) {
      pieces.add(new Piece(tokens.get(id), id, scores[id]));
    }
    return pieces;
  }

  /**
   * The same without scores and without unused tokens, whose ids then name nothing; each is made
   * when it is asked for.
   */
  List<Piece> used(List<PieceType> types) {
    List<String> tokens = texts("tokens");
    int[] used =
        IntStream.range(0, types.size()).filter(id -> types.get(id) != PieceType.UNUSED).toArray();
    return new ListView<>(used.length, index -> new Piece(tokens.get(used[index]), used[index], 0));
  }

  private double[] scores(int count) {
    Object value = metadata.get(PREFIX + "scores");
    double[] scores = new double[count];
    if (!(value instanceof float[] floats) || floats.length != count) {
      throw wrong("scores", "an array of " + count + " numbers, one for each token");
    }
    for (int i = 0; i < count; i++) {
      if (Float.isNaN(floats[i])) {
        throw wrong("scores", "numbers; number " + i + " is none");
      }
      scores[i] = floats[i];
    }
    return scores;
  }

  /**
   * The types of the tokens up to the last that is used: a model may have room for more tokens than
   * there are. All are text if the file has no types.
   */
  List<PieceType> types() {
    int count = texts("tokens").size();
    if (!has("token_type")) {
      return Collections.nCopies(count, PieceType.NORMAL);
    }
    long[] types = numbers("token_type");
    if (types.length != count) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: %stoken_type has %d entries, but there are %d tokens",
              name,
              PREFIX,
              types.length,
              count));
    }
    List<PieceType> read = new ArrayList<>(count);
    for (long type : types) {
      read.add(PieceType.of(type));
    }
    use(read);
    while (!read.isEmpty() && read.getLast() == PieceType.UNUSED) {
      read.removeLast();
    }
    return read;
  }

  /** What stands around texts or ends them is used, whatever its type says. */
  private void use(List<PieceType> types) {
    for (String key : STEERING) {
      Object id = metadata.get(PREFIX + key + "_token_id");
      if (id instanceof Number at && at.longValue() >= 0 && at.longValue() < types.size()) {
        PieceType type = types.get(at.intValue());
        types.set(at.intValue(), type == PieceType.UNUSED ? PieceType.CONTROL : type);
      }
    }
  }

  /** The tokens that are found in a text before the model sees it. */
  List<AddedToken> added(List<Piece> pieces, List<PieceType> types, boolean withUserDefined) {
    List<AddedToken> added = new ArrayList<>();
    for (Piece piece : pieces) {
      PieceType type = types.get(piece.id());
      boolean own = type == PieceType.USER_DEFINED;
      if (type == PieceType.UNKNOWN || type == PieceType.CONTROL || (own && withUserDefined)) {
        if (piece.text().isEmpty()) {
          throw new TokenizerException(
              String.format(
                  Locale.ROOT, "%s: %stokens[%d] is empty, but no text", name, PREFIX, piece.id()));
        }
        added.add(AddedToken.literal(piece.id(), piece.text(), !own));
      }
    }
    return added;
  }

  byte[] bytes(String key) {
    if (!has(key)) {
      return new byte[0];
    }
    if (metadata.get(PREFIX + key) instanceof byte[] bytes) {
      return bytes;
    }
    long[] numbers = numbers(key);
    byte[] bytes = new byte[numbers.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) numbers[i];
    }
    return bytes;
  }

  /** The id of the first key that is there, or that of a token by its text. */
  int id(List<String> keys, String token, Vocabulary vocabulary) {
    for (String key : keys) {
      if (has(key)) {
        return id(key, vocabulary);
      }
    }
    return vocabulary.id(token);
  }

  int[] around(String key, boolean otherwise, String idKey, int id) {
    boolean wanted = flag(key, otherwise && id != Vocabulary.NONE);
    if (wanted && id == Vocabulary.NONE) {
      throw wrong(idKey, "an id, since " + PREFIX + key + " is true");
    }
    return wanted ? new int[] {id} : new int[0];
  }

  int id(String key, Vocabulary vocabulary) {
    Object value = metadata.get(PREFIX + key);
    if (value == null) {
      return Vocabulary.NONE;
    }
    if (value instanceof Number number) {
      long id = number.longValue();
      if (id >= 0 && id < vocabulary.size()) {
        return (int) id;
      }
    }
    throw wrong(key, "an id below " + vocabulary.size());
  }

  String text(String key) {
    if (metadata.get(PREFIX + key) instanceof String text) {
      return text;
    }
    throw wrong(key, "a string");
  }

  /** An array of strings; one that is none is refused when it is asked for. */
  List<String> texts(String key) {
    if (!(metadata.get(PREFIX + key) instanceof List<?> values)) {
      throw wrong(key, "an array of strings");
    }
    return new ListView<>(
        values.size(),
        index -> {
          if (!(values.get(index) instanceof String text)) {
            throw wrong(key, "an array of strings");
          }
          return text;
        });
  }

  long[] numbers(String key) {
    return switch (metadata.get(PREFIX + key)) {
      case int[] values -> Arrays.stream(values).asLongStream().toArray();
      case long[] values -> values;
      case byte[] values ->
          IntStream.range(0, values.length)
              .mapToLong(i -> Byte.toUnsignedLong(values[i]))
              .toArray();
      case List<?> values when values.stream().allMatch(Number.class::isInstance) ->
          values.stream().mapToLong(value -> ((Number) value).longValue()).toArray();
      case null, default -> throw wrong(key, "an array of integers");
    };
  }

  TokenizerException wrong(String key, String needed) {
    Object value = metadata.get(PREFIX + key);
    String found = value instanceof String text ? Vocabulary.quoted(text) : describe(value);
    return new TokenizerException(
        String.format(Locale.ROOT, "%s: %s%s is %s; needed: %s", name, PREFIX, key, found, needed));
  }

  private static String describe(Object value) {
    return switch (value) {
      case null -> "missing";
      case Number number -> number.toString();
      case Boolean flag -> flag.toString();
      default -> "a " + value.getClass().getSimpleName();
    };
  }

  TokenizerException unsupported(String key, String supported) {
    return new TokenizerException(
        String.format(
            Locale.ROOT,
            "%s: %s%s=%s is not supported; supported: %s",
            name,
            PREFIX,
            key,
            Vocabulary.quoted(text(key)),
            supported));
  }
}
