package dev.apus.core.tokenizer;

import dev.apus.core.config.ConfigWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The vocabulary of a GGUF file as the files of a folder: of byte pairs and WordPiece a {@code
 * tokenizer.json}, of SentencePiece its model, and the list of RWKV.
 */
final class VocabularyFolder {

  private static final String PREFIX = GgufVocabulary.PREFIX;

  private final GgufVocabulary file;
  private final Map<String, Object> metadata;
  private final List<String> tokens;
  private final List<PieceType> types;
  private final Map<String, byte[]> files = new LinkedHashMap<>();

  VocabularyFolder(String name, Map<String, Object> metadata) {
    this.file = new GgufVocabulary(name, metadata);
    this.metadata = metadata;
    this.types = file.types();
    this.tokens = file.texts("tokens").subList(0, types.size());
  }

  /** The bytes of each file by its name. */
  Map<String, byte[]> files() {
    switch (file.text("model")) {
      case "gpt2" -> bytePairs();
      case "llama" -> sentencePiece(SentencePiece.Kind.BYTE_PAIRS, "LlamaTokenizer");
      case "t5" -> sentencePiece(SentencePiece.Kind.UNIGRAM, "T5Tokenizer");
      case "bert" -> wordPieces();
      case "rwkv" -> rwkv();
      default -> throw unwritten("model");
    }
    return files;
  }

  private TokenizerException unwritten(String key) {
    return new TokenizerException(
        file.name + ": the vocabulary " + file.text(key) + " cannot be written into a folder yet");
  }

  private void put(String name, Map<String, Object> json) {
    files.put(name, ConfigWriter.json(json).getBytes(StandardCharsets.UTF_8));
  }

  private void bytePairs() {
    GgufPre kind = GgufPre.of(file.text("pre"));
    if (kind.spaced() || kind.patterns().contains(GgufPre.THREES) || !file.has("merges")) {
      throw unwritten("pre");
    }
    List<Map<String, Object>> steps = new ArrayList<>();
    kind.patterns().forEach(pattern -> steps.add(TokenizerJson.split(pattern)));
    Map<String, Object> bytes = TokenizerJson.byteLevel(false, false);
    steps.add(bytes);
    json(
        TokenizerJson.pairs(vocabulary(tokens), file.texts("merges"), kind.ignoreMerges()),
        kind.composed() ? Map.of("type", "NFC") : null,
        TokenizerJson.sequence(steps),
        template(
            around("bos", "add_bos_token", kind.begins()), around("eos", "add_eos_token", false)),
        bytes);
  }

  /** Tokens that begin words lose the space before them, and the others get their prefix back. */
  private void wordPieces() {
    List<String> spelled = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      String token = tokens.get(id);
      boolean steering = types.get(id) != PieceType.NORMAL || token.matches("\\[.+]");
      spelled.add(
          steering || token.isEmpty()
              ? token
              : token.charAt(0) == SentencePiece.SPACE ? token.substring(1) : "##" + token);
    }
    String unknown = token("unknown");
    boolean lowercase = file.flag("normalizer.lowercase", true);
    json(
        TokenizerJson.wordPieces(vocabulary(spelled), unknown == null ? "[UNK]" : unknown),
        TokenizerJson.bert(true, file.flag("normalizer.strip_accents", lowercase), lowercase),
        Map.of("type", "BertPreTokenizer"),
        template(
            around(file.has("cls_token_id") ? "cls" : "bos", "[CLS]", "add_bos_token"),
            around(file.has("seperator_token_id") ? "seperator" : "eos", "[SEP]", "add_sep_token")),
        TokenizerJson.wordDecoder());
  }

  private void sentencePiece(SentencePiece.Kind kind, String tokenizerClass) {
    files.put("tokenizer.model", SentencePieceWriter.bytes(GgufTokenizer.model(file, kind)));
    boolean pairs = kind == SentencePiece.Kind.BYTE_PAIRS;
    Map<String, Object> config = config(tokenizerClass);
    config.put("add_bos_token", file.flag("add_bos_token", pairs && begins("bos", "<s>")));
    config.put("add_eos_token", file.flag("add_eos_token", !pairs && begins("eos", "</s>")));
    // A space is put before a text and not after each special token.
    config.put("legacy", false);
    config.put("add_prefix_space", file.flag("add_space_prefix", pairs));
    put(TokenizerConfig.FILE, config);
  }

  private boolean begins(String key, String token) {
    return file.has(key + "_token_id") || tokens.contains(token);
  }

  private void rwkv() {
    StringBuilder lines = new StringBuilder();
    for (int id = 0; id < tokens.size(); id++) {
      if (types.get(id) == PieceType.NORMAL) {
        byte[] bytes = RwkvFile.unescaped(tokens.get(id), true);
        String spelled = RwkvFile.escaped(bytes);
        lines.append(id).append(" b'").append(spelled).append("' ");
        lines.append(bytes.length).append('\n');
      }
    }
    files.put(TokenizerFolder.RWKV, lines.toString().getBytes(StandardCharsets.UTF_8));
    put(TokenizerConfig.FILE, config("RwkvTokenizer"));
  }

  private Map<String, Integer> vocabulary(List<String> spelled) {
    Map<String, Integer> vocabulary = new LinkedHashMap<>();
    for (int id = 0; id < spelled.size(); id++) {
      if (types.get(id) != PieceType.UNUSED) {
        vocabulary.put(spelled.get(id), id);
      }
    }
    return vocabulary;
  }

  private void json(
      Map<String, Object> model,
      Map<String, Object> normalizer,
      Map<String, Object> preTokenizer,
      Map<String, Object> template,
      Map<String, Object> decoder) {
    List<AddedToken> added = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      switch (types.get(id)) {
        case UNKNOWN, CONTROL -> added.add(AddedToken.literal(id, tokens.get(id), true));
        case USER_DEFINED -> added.add(AddedToken.literal(id, tokens.get(id), false));
        default -> {}
      }
    }
    put(
        TokenizerFolder.JSON,
        TokenizerJson.whole(added, normalizer, preTokenizer, template, decoder, model));
    put(TokenizerConfig.FILE, config("PreTrainedTokenizerFast"));
  }

  private String token(String name) {
    return metadata.get(PREFIX + name + "_token_id") instanceof Number id
        ? tokens.get(id.intValue())
        : null;
  }

  private Map<String, Object> config(String tokenizerClass) {
    Map<String, Object> config = new LinkedHashMap<>();
    for (String name : new String[] {"bos", "eos", "mask"}) {
      String token = token(name);
      if (token != null) {
        config.put(name + "_token", token);
      }
    }
    config.put("tokenizer_class", tokenizerClass);
    if (metadata.get("tokenizer.chat_template") instanceof String template) {
      config.put("chat_template", template);
    }
    return config;
  }

  /** The token that stands at an end of a text, or null. */
  private String around(String name, String flag, boolean absent) {
    String token = token(name);
    return token != null && file.flag(flag, absent) ? token : null;
  }

  /** The same for one that files need not name, as its text says what it is. */
  private String around(String name, String known, String flag) {
    String token = token(name) == null && tokens.contains(known) ? known : token(name);
    return token != null && file.flag(flag, true) ? token : null;
  }

  private Map<String, Object> template(String begin, String end) {
    return TokenizerJson.template(begin, end, tokens::indexOf);
  }
}
