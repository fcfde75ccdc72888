package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Makes a tokenizer of the vocabulary in a GGUF header. */
final class GgufTokenizer {

  private static final String PREFIX = "tokenizer.ggml.";
  private static final String BYTE_PAIRS = "gpt2";

  /** Token types that GGUF tells apart; the others are text. */
  private static final int UNKNOWN = 2;

  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;

  /**
   * What a name in {@code tokenizer.ggml.pre} stands for.
   *
   * @param patterns the patterns to cut with, one after the other
   * @param composed whether the text is normalised to NFC
   * @param begins whether texts begin with a token if the file does not say
   */
  private record Kind(
      List<String> patterns, boolean composed, boolean ignoreMerges, boolean begins) {}

  private final String name;
  private final Map<String, ?> metadata;

  private GgufTokenizer(String name, Map<String, ?> metadata) {
    this.name = name;
    this.metadata = metadata;
  }

  static Tokenizer of(String name, Map<String, ?> metadata) {
    return new GgufTokenizer(name, metadata).tokenizer();
  }

  static boolean knows(Map<String, ?> metadata) {
    return BYTE_PAIRS.equals(metadata.get(PREFIX + "model"))
        && metadata.get(PREFIX + "pre") instanceof String pre
        && kind(pre) != null;
  }

  private Tokenizer tokenizer() {
    if (!text("model").equals(BYTE_PAIRS)) {
      throw unsupported("model", BYTE_PAIRS);
    }
    Kind kind = kind(text("pre"));
    if (kind == null) {
      throw unsupported(
          "pre",
          "gpt-2, phi-2, gigachat, mellum, exaone4, llama3, llama-v3, llama-bpe, falcon3,"
              + " falcon-h1, lfm2, dbrx, smaug-bpe, qwen2, deepseek-r1-qwen, megrez, qwen35,"
              + " gpt-4o, llama4, smollm, starcoder, refact, command-r");
    }
    List<String> tokens = texts("tokens");
    List<Piece> pieces = new ArrayList<>(tokens.size());
    for (int id = 0; id < tokens.size(); id++) {
      pieces.add(new Piece(tokens.get(id), id, 0));
    }
    List<AddedToken> added = added(tokens);
    Vocabulary vocabulary = Vocabulary.of(name, pieces, added);
    List<String> merges = new ArrayList<>();
    texts("merges").forEach(merge -> Merges.addPair(name, merges, merge));
    int beginning = id("bos_token_id", vocabulary);
    int end = id("eos_token_id", vocabulary);
    return new ComposedTokenizer(
        new ComposedTokenizer.Parts(
            vocabulary,
            added,
            kind.composed() ? new UnicodeForm(Normalizer.Form.NFC) : text -> text,
            preTokenizer(kind),
            new BytePairModel(
                vocabulary,
                Merges.of(name, merges, vocabulary.modelIds()),
                new BytePairModel.Settings(Vocabulary.NONE, false, false, kind.ignoreMerges())),
            new Template(
                around("add_bos_token", kind.begins(), "bos_token_id", beginning),
                around("add_eos_token", false, "eos_token_id", end)),
            Decoding.byteLevel(),
            beginning,
            end,
            id("mask_token_id", vocabulary)));
  }

  /** The kind of that name, or null. */
  private static Kind kind(String pre) {
    return switch (pre) {
      case "gpt-2", "phi-2", "gigachat", "mellum", "exaone4" ->
          new Kind(List.of(KnownPatterns.GPT2), false, false, false);
      case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "lfm2" ->
          new Kind(List.of(KnownPatterns.LLAMA3), false, true, true);
      case "dbrx", "smaug-bpe" -> new Kind(List.of(KnownPatterns.LLAMA3), false, false, false);
      case "qwen2", "deepseek-r1-qwen", "megrez" ->
          new Kind(List.of(KnownPatterns.QWEN2), true, false, false);
      case "qwen35" -> new Kind(List.of(KnownPatterns.QWEN35), true, false, false);
      case "gpt-4o", "llama4" -> new Kind(List.of(KnownPatterns.GPT4O), false, false, false);
      case "smollm", "starcoder", "refact", "command-r" ->
          new Kind(List.of("\\p{N}", KnownPatterns.GPT2), false, false, false);
      default -> null;
    };
  }

  private PreTokenizer preTokenizer(Kind kind) {
    List<PreTokenizer> steps = new ArrayList<>();
    for (String pattern : kind.patterns()) {
      steps.add(SplitPreTokenizer.isolating(name + ": " + PREFIX + "pre", pattern));
    }
    steps.add(PreTokenizer.bytes());
    return PreTokenizer.sequence(steps);
  }

  private List<AddedToken> added(List<String> tokens) {
    List<AddedToken> added = new ArrayList<>();
    if (!metadata.containsKey(PREFIX + "token_type")) {
      return added;
    }
    long[] types = numbers("token_type");
    if (types.length != tokens.size()) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: %stoken_type has %d entries, but there are %d tokens",
              name,
              PREFIX,
              types.length,
              tokens.size()));
    }
    for (int id = 0; id < types.length; id++) {
      if (types[id] == UNKNOWN || types[id] == CONTROL || types[id] == USER_DEFINED) {
        if (tokens.get(id).isEmpty()) {
          throw new TokenizerException(
              String.format(
                  Locale.ROOT, "%s: %stokens[%d] is empty, but no text", name, PREFIX, id));
        }
        added.add(AddedToken.literal(id, tokens.get(id), types[id] != USER_DEFINED));
      }
    }
    return added;
  }

  private int[] around(String key, boolean otherwise, String idKey, int id) {
    Object value = metadata.get(PREFIX + key);
    if (value != null && !(value instanceof Boolean)) {
      throw wrong(key, "true or false");
    }
    boolean wanted = value == null ? otherwise && id != Vocabulary.NONE : (Boolean) value;
    if (wanted && id == Vocabulary.NONE) {
      throw wrong(idKey, "an id, since " + PREFIX + key + " is true");
    }
    return wanted ? new int[] {id} : new int[0];
  }

  private int id(String key, Vocabulary vocabulary) {
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

  private String text(String key) {
    if (metadata.get(PREFIX + key) instanceof String text) {
      return text;
    }
    throw wrong(key, "a string");
  }

  private List<String> texts(String key) {
    if (!(metadata.get(PREFIX + key) instanceof List<?> values)) {
      throw wrong(key, "an array of strings");
    }
    List<String> texts = new ArrayList<>(values.size());
    for (Object value : values) {
      if (!(value instanceof String text)) {
        throw wrong(key, "an array of strings");
      }
      texts.add(text);
    }
    return texts;
  }

  private long[] numbers(String key) {
    return switch (metadata.get(PREFIX + key)) {
      case int[] values -> Arrays.stream(values).asLongStream().toArray();
      case long[] values -> values;
      case List<?> values when values.stream().allMatch(Number.class::isInstance) ->
          values.stream().mapToLong(value -> ((Number) value).longValue()).toArray();
      case null, default -> throw wrong(key, "an array of integers");
    };
  }

  private TokenizerException wrong(String key, String needed) {
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

  private TokenizerException unsupported(String key, String supported) {
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
