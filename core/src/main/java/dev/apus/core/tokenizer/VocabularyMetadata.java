package dev.apus.core.tokenizer;

import static dev.apus.core.tokenizer.PieceType.BYTE;
import static dev.apus.core.tokenizer.PieceType.CONTROL;
import static dev.apus.core.tokenizer.PieceType.NORMAL;
import static dev.apus.core.tokenizer.PieceType.UNKNOWN;
import static dev.apus.core.tokenizer.PieceType.UNUSED;
import static dev.apus.core.tokenizer.PieceType.USER_DEFINED;

import com.fasterxml.jackson.databind.JsonNode;
import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * A folder's vocabulary as the metadata of a GGUF file: {@link GgufTokenizer} the other way. What a
 * tokenizer does with spaces and around texts, it is asked itself.
 */
final class VocabularyMetadata {

  private static final String PREFIX = GgufVocabulary.PREFIX;

  /** Of a piece that no text is made of. */
  private static final float NO_SCORE = -1000;

  private static final Set<String> PLAIN_NORMALIZERS =
      Set.of("Sequence", "Precompiled", "Replace", "Prepend", "Strip");

  private final String name;
  private final Tokenizer whole;
  private final String[] tokens;
  private final int[] types;
  private final float[] scores;
  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<String, Object> said = new LinkedHashMap<>();

  /**
   * @param whole what the folder's files are read as
   * @param size of the model's vocabulary, which may be larger
   */
  VocabularyMetadata(String name, Tokenizer whole, int size) {
    this.name = name;
    this.whole = whole;
    this.tokens = new String[size];
    this.types = new int[size];
    this.scores = new float[size];
    Arrays.fill(scores, NO_SCORE);
  }

  /**
   * The metadata.
   *
   * @param files the bytes of the folder's files, or null
   */
  Map<String, Object> of(Function<String, byte[]> files) {
    var found = TokenizerFolder.vocabulary(files);
    byte[] json = found.json(name, files);
    if (json != null) {
      json(parse(TokenizerFolder.JSON, json));
    } else if (found.file().equals(TokenizerFolder.RWKV)) {
      rwkv(found.bytes());
    } else if (TiktokenFile.isOne(found.bytes())) {
      throw unsaid("it is " + found.file() + "; of byte pairs, a tokenizer.json can be written");
    } else {
      sentencePiece(
          SentencePieceFile.parse(name + "/" + found.file(), found.bytes()),
          TokenizerFolder.settings(name, files));
    }
    byte[] config = files.apply(TokenizerConfig.FILE);
    if (config != null) {
      named(parse(TokenizerConfig.FILE, config));
    }
    return said;
  }

  private void json(JsonNode root) {
    JsonNode model = root.path("model");
    model.path("vocab").properties().forEach(e -> set(e.getKey(), e.getValue().asInt(), NORMAL));
    for (JsonNode added : root.path("added_tokens")) {
      PieceType type = added.path("special").asBoolean() ? CONTROL : USER_DEFINED;
      set(added.path("content").asText(), added.path("id").asInt(), type);
    }
    String type = model.path("type").asText();
    boolean bytes = model.path("byte_fallback").asBoolean();
    switch (type) {
      case "BPE" -> {
        if (bytes) {
          joined(root);
        } else {
          bytePairs(root);
        }
      }
      case "Unigram" -> unigram(root);
      case "WordPiece" -> wordPieces(root);
      default -> throw unsaid("its model is " + type);
    }
  }

  /** Byte-level pairs. */
  private void bytePairs(JsonNode root) {
    write("gpt2");
    said.put(PREFIX + "pre", VocabularyPre.name(name, root));
    said.put(PREFIX + "merges", merges(root));
    around("bos", "eos");
  }

  private static List<String> merges(JsonNode root) {
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : root.path("model").path("merges")) {
      merges.add(
          merge.isArray() ? merge.path(0).asText() + " " + merge.path(1).asText() : merge.asText());
    }
    return merges;
  }

  /** SentencePiece's pairs, of which a list of merges has only the order of the scores left. */
  private void joined(JsonNode root) {
    JsonNode unknown = root.path("model").path("unk_token");
    float rank = 0;
    for (String merge : merges(root)) {
      Integer id = ids.get(merge.replaceFirst(" ", ""));
      if (id != null && scores[id] == NO_SCORE) {
        scores[id] = -rank++;
      }
    }
    for (int id = 0; id < tokens.length; id++) {
      if (types[id] == NORMAL.number() && ByteTokens.value(tokens[id]) >= 0) {
        types[id] = BYTE.number();
      } else if (tokens[id] != null && scores[id] == NO_SCORE) {
        scores[id] = -rank++;
      }
    }
    unknown(unknown.isTextual() ? ids.get(unknown.asText()) : null);
    spaces("llama");
    around("bos", "eos");
  }

  private void unigram(JsonNode root) {
    JsonNode model = root.path("model");
    int id = 0;
    for (JsonNode piece : model.path("vocab")) {
      if (id < types.length && types[id] == 0) {
        set(piece.path(0).asText(), id, NORMAL);
      }
      if (id < types.length) {
        scores[id++] = (float) piece.path(1).asDouble();
      }
    }
    unknown(model.path("unk_id").isInt() ? (Integer) model.path("unk_id").asInt() : null);
    byte[] rules = rules(root.path("normalizer"));
    if (rules.length > 0) {
      said.put(PREFIX + "precompiled_charsmap", rules);
    }
    spaces("t5");
    around("bos", "eos");
  }

  /** The compiled rules among the steps of a normalizer. */
  private byte[] rules(JsonNode normalizer) {
    if (normalizer.isNull() || normalizer.isMissingNode()) {
      return new byte[0];
    }
    String type = normalizer.path("type").asText();
    if (!PLAIN_NORMALIZERS.contains(type)) {
      throw unsaid("its normalizer is " + type);
    }
    byte[] rules = Base64.getDecoder().decode(normalizer.path("precompiled_charsmap").asText());
    for (JsonNode step : normalizer.path("normalizers")) {
      byte[] more = rules(step);
      rules = more.length > 0 ? more : rules;
    }
    return rules;
  }

  private void unknown(Integer id) {
    if (id == null || id >= types.length) {
      throw unsaid("it has no token for what is unknown");
    }
    types[id] = UNKNOWN.number();
  }

  /** What becomes of spaces, as the tokenizer itself has it. */
  private void spaces(String model) {
    write(model);
    said.put(PREFIX + "scores", scores);
    int[] plain = whole.encode("a", false, false);
    String first = plain.length == 0 ? "" : whole.token(plain[0]);
    said.put(PREFIX + "add_space_prefix", first.startsWith("" + SentencePiece.SPACE));
    boolean merged =
        Arrays.equals(whole.encode("a  a", false, false), whole.encode("a a", false, false));
    said.put(PREFIX + "remove_extra_whitespaces", merged);
  }

  private void sentencePiece(SentencePiece model, TokenizerConfig config) {
    String kind =
        switch (model.kind()) {
          case BYTE_PAIRS -> "llama";
          case UNIGRAM -> "t5";
          case CHARACTERS -> throw unsaid("its model is one of characters");
        };
    SentencePiece.Spaces spaces = model.spaces();
    if (spaces.suffix() || !spaces.escaped()) {
      throw unsaid("it spells spaces after words, or as they are");
    }
    for (Piece piece : model.pieces()) {
      set(piece.text(), piece.id(), model.types().get(piece.id()));
      scores[piece.id()] = (float) piece.score();
    }
    for (AddedToken added : config.added()) {
      if (types[added.id()] != UNKNOWN.number()) {
        set(added.content(), added.id(), added.special() ? CONTROL : USER_DEFINED);
      }
    }
    write(kind);
    said.put(PREFIX + "scores", scores);
    said.put(PREFIX + "add_space_prefix", spaces.prefix());
    said.put(PREFIX + "remove_extra_whitespaces", spaces.merged());
    byte[] rules = model.charsmap().compiled();
    if (rules.length > 0) {
      said.put(PREFIX + "precompiled_charsmap", rules);
    }
    around("bos", "eos");
  }

  /** Words are told by a space before them, and what goes on a word by none. */
  private void wordPieces(JsonNode root) {
    JsonNode model = root.path("model");
    JsonNode normalizer = root.path("normalizer");
    if (!model.path("continuing_subword_prefix").asText().equals("##")
        || model.path("max_input_chars_per_word").asInt() != GgufTokenizer.LONGEST_WORD) {
      throw unsaid("its words go on with another prefix than ##, or have another length than 100");
    }
    if (!normalizer.path("type").asText().equals("BertNormalizer")
        || !normalizer.path("clean_text").asBoolean(true)
        || !normalizer.path("handle_chinese_chars").asBoolean(true)) {
      throw unsaid("its normalizer is not BERT's");
    }
    Integer unknown = ids.get(model.path("unk_token").asText());
    for (int id = 0; id < tokens.length; id++) {
      String token = tokens[id];
      boolean steering = token != null && token.matches("\\[.+]");
      if (token != null && !steering && types[id] == NORMAL.number()) {
        tokens[id] = token.startsWith("##") ? token.substring(2) : SentencePiece.SPACE + token;
      }
    }
    boolean lowercase = normalizer.path("lowercase").asBoolean(true);
    write("bert");
    said.put(PREFIX + "normalizer.lowercase", lowercase);
    said.put(
        PREFIX + "normalizer.strip_accents", normalizer.path("strip_accents").asBoolean(lowercase));
    if (unknown != null) {
      said.put(PREFIX + "unknown_token_id", (long) unknown);
    }
    around("cls", "seperator");
    said.put(PREFIX + "add_sep_token", said.remove(PREFIX + "add_eos_token"));
  }

  /** Tokens as Python spells bytes; what ends texts is the first. */
  private void rwkv(byte[] file) {
    for (Piece piece : RwkvFile.pieces(name + "/" + TokenizerFolder.RWKV, file)) {
      set(RwkvFile.escaped(ByteAlphabet.bytes(piece.text())), piece.id(), NORMAL);
    }
    set("<s>", 0, CONTROL);
    write("rwkv");
    said.put(PREFIX + "eos_token_id", 0L);
  }

  private void set(String token, int id, PieceType type) {
    if (id < 0 || id >= tokens.length) {
      throw unsaid(
          String.format(
              Locale.ROOT, "token %s has the id %d, the model has %d", token, id, tokens.length));
    }
    tokens[id] = token;
    types[id] = type.number();
    ids.put(token, id);
  }

  private void write(String model) {
    for (int id = 0; id < tokens.length; id++) {
      if (tokens[id] == null) {
        tokens[id] = "[PAD" + id + "]";
        types[id] = UNUSED.number();
      }
    }
    said.put(PREFIX + "model", model);
    said.put(PREFIX + "tokens", List.of(tokens));
    said.put(PREFIX + "token_type", types);
  }

  /** The tokens around a text, as the tokenizer puts them. */
  private void around(String begin, String end) {
    int[] plain = whole.encode("a", false, false);
    int[] all = whole.encode("a", true, false);
    int before = 0;
    while (before + plain.length < all.length
        && !Arrays.equals(Arrays.copyOfRange(all, before, before + plain.length), plain)) {
      before++;
    }
    int after = all.length - plain.length - before;
    if (before > 1 || after > 1) {
      throw unsaid("it puts " + before + " tokens before a text and " + after + " after it");
    }
    if (before == 1) {
      said.put(PREFIX + begin + "_token_id", (long) all[0]);
    }
    if (after == 1) {
      said.put(PREFIX + end + "_token_id", (long) all[all.length - 1]);
    }
    said.put(PREFIX + "add_bos_token", before == 1);
    said.put(PREFIX + "add_eos_token", after == 1);
  }

  /** The tokens that the folder names. */
  private void named(JsonNode config) {
    for (String token : new String[] {"bos", "eos", "mask", "pad", "unk"}) {
      JsonNode value = config.path(token + "_token");
      Integer id = ids.get(value.isObject() ? value.path("content").asText() : value.asText());
      if (id != null && !value.isMissingNode() && !value.isNull()) {
        String key = token.equals("unk") ? "unknown" : token.equals("pad") ? "padding" : token;
        said.putIfAbsent(PREFIX + key + "_token_id", (long) id);
      }
    }
  }

  private JsonNode parse(String file, byte[] json) {
    return TokenizerFile.parseSection(name + "/" + file, json).node();
  }

  private TokenizerException unsaid(String why) {
    return VocabularyConversion.unsaid(name, why);
  }
}
