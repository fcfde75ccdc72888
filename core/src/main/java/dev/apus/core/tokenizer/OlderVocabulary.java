package dev.apus.core.tokenizer;

import dev.apus.core.config.ConfigWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The vocabularies of older checkpoints, {@code vocab.json} with {@code merges.txt} and {@code
 * vocab.txt}, in the words of a {@code tokenizer.json}. They do not say how texts are cut; the
 * class of the program that reads them elsewhere does.
 */
final class OlderVocabulary {

  static final String BYTE_PAIRS = "vocab.json";
  static final String WORD_PIECES = "vocab.txt";

  private static final String MERGES = "merges.txt";
  private static final String END_OF_TEXT = "<|endoftext|>";

  private final String name;
  private final byte[] vocabulary;
  private final Function<String, byte[]> files;
  private final TokenizerConfig config;
  private final Map<String, Integer> ids = new LinkedHashMap<>();
  private final Map<Integer, AddedToken> added = new TreeMap<>();

  private OlderVocabulary(String name, byte[] vocabulary, Function<String, byte[]> files) {
    this.name = name;
    this.vocabulary = vocabulary;
    this.files = files;
    this.config = TokenizerFolder.settings(name, files);
  }

  /**
   * The bytes of a {@code tokenizer.json} that says the same.
   *
   * @param found one of the two files
   */
  static byte[] json(String folder, TokenizerFolder.Found found, Function<String, byte[]> files) {
    OlderVocabulary older = new OlderVocabulary(folder, found.bytes(), files);
    Map<String, Object> json =
        found.file().equals(BYTE_PAIRS) ? older.bytePairs() : older.wordPieces();
    return ConfigWriter.json(json).getBytes(StandardCharsets.UTF_8);
  }

  private Map<String, Object> bytePairs() {
    Section section = TokenizerFile.parseSection(name + "/" + BYTE_PAIRS, vocabulary);
    section
        .node()
        .fieldNames()
        .forEachRemaining(token -> ids.put(token, section.number(token, 0, Vocabulary.LARGEST_ID)));
    listed();
    boolean prefix = config.flag("add_prefix_space", false);
    return switch (kind("GPT2Tokenizer")) {
      case "GPT2Tokenizer", "CodeGenTokenizer" -> {
        special(END_OF_TEXT, "unk", "bos", "eos");
        String begin = config.text("bos_token", END_OF_TEXT);
        yield pairs(
            null,
            List.of(TokenizerJson.byteLevel(prefix, true)),
            config.flag("add_bos_token", false) ? begin : null,
            null);
      }
      case "Qwen2Tokenizer" -> {
        special(END_OF_TEXT, "unk", "eos", "pad");
        yield pairs(
            Map.of("type", "NFC"),
            List.of(
                TokenizerJson.split(KnownPatterns.QWEN2), TokenizerJson.byteLevel(prefix, false)),
            null,
            null);
      }
      case "RobertaTokenizer", "LongformerTokenizer", "BartTokenizer" -> {
        special("<s>", "bos", "cls");
        special("</s>", "eos", "sep");
        special("<unk>", "unk");
        special("<pad>", "pad");
        special("<mask>", "mask");
        yield pairs(
            null,
            List.of(TokenizerJson.byteLevel(prefix, true)),
            config.text("cls_token", "<s>"),
            config.text("sep_token", "</s>"));
      }
      default ->
          throw unknown(
              BYTE_PAIRS,
              "GPT2Tokenizer, CodeGenTokenizer, Qwen2Tokenizer, RobertaTokenizer,"
                  + " LongformerTokenizer, BartTokenizer");
    };
  }

  private Map<String, Object> pairs(
      Map<String, Object> normalizer, List<Map<String, Object>> steps, String begin, String end) {
    return TokenizerJson.whole(
        List.copyOf(added.values()),
        normalizer,
        TokenizerJson.sequence(steps),
        TokenizerJson.template(begin, end, this::id),
        TokenizerJson.byteLevel(false, true),
        TokenizerJson.pairs(ids, merges(), false));
  }

  private List<String> merges() {
    byte[] bytes = files.apply(MERGES);
    if (bytes == null) {
      throw new TokenizerException(name + ": " + BYTE_PAIRS + " needs " + MERGES + " beside it");
    }
    List<String> merges = new ArrayList<>();
    for (String line : new String(bytes, StandardCharsets.UTF_8).split("\r?\n")) {
      boolean version = merges.isEmpty() && line.startsWith("#version");
      if (!line.isBlank() && !version) {
        merges.add(line);
      }
    }
    return merges;
  }

  private Map<String, Object> wordPieces() {
    String[] lines = new String(vocabulary, StandardCharsets.UTF_8).split("\r?\n", -1);
    int count = lines.length - (lines[lines.length - 1].isEmpty() ? 1 : 0);
    for (int id = 0; id < count; id++) {
      ids.put(lines[id], id);
    }
    listed();
    if (!List.of(
            "BertTokenizer",
            "ConvBertTokenizer",
            "DistilBertTokenizer",
            "ElectraTokenizer",
            "MobileBertTokenizer")
        .contains(kind("BertTokenizer"))) {
      throw unknown(
          WORD_PIECES,
          "BertTokenizer, ConvBertTokenizer, DistilBertTokenizer, ElectraTokenizer,"
              + " MobileBertTokenizer");
    }
    if (!config.flag("do_basic_tokenize", true)) {
      throw new TokenizerException(
          name + "/" + TokenizerConfig.FILE + ": do_basic_tokenize=false is not supported");
    }
    special("[UNK]", "unk");
    special("[CLS]", "cls");
    special("[SEP]", "sep");
    special("[PAD]", "pad");
    special("[MASK]", "mask");
    boolean lowercase = config.flag("do_lower_case", true);
    return TokenizerJson.whole(
        List.copyOf(added.values()),
        TokenizerJson.bert(
            config.flag("tokenize_chinese_chars", true),
            config.flag("strip_accents", lowercase),
            lowercase),
        Map.of("type", "BertPreTokenizer"),
        TokenizerJson.template(
            config.text("cls_token", "[CLS]"), config.text("sep_token", "[SEP]"), this::id),
        TokenizerJson.wordDecoder(),
        TokenizerJson.wordPieces(ids, config.text("unk_token", "[UNK]")));
  }

  private String kind(String absent) {
    String kind = config.tokenizerClass();
    return kind == null ? absent : kind.replaceFirst("Fast$", "");
  }

  private TokenizerException unknown(String file, String supported) {
    return new TokenizerException(
        name
            + "/"
            + file
            + ": tokenizer_class="
            + Vocabulary.quoted(config.tokenizerClass())
            + " is not supported without a tokenizer.json; supported: "
            + supported);
  }

  /** Tokens that the files beside the vocabulary list. */
  private void listed() {
    for (AddedToken token : config.added()) {
      added.put(token.id(), token);
    }
  }

  /**
   * The tokens that steer the model, by the config's names or those that the class has for them.
   */
  private void special(String absent, String... roles) {
    for (String role : roles) {
      String content = config.text(role + "_token", absent);
      Integer id = ids.get(content);
      if (id != null) {
        boolean left = role.equals("mask") && content.equals("<mask>");
        added.putIfAbsent(id, new AddedToken(id, content, true, left, false, false, false));
      }
    }
  }

  private int id(String token) {
    Integer id = ids.get(token);
    if (id == null) {
      id =
          added.values().stream()
              .filter(one -> one.content().equals(token))
              .map(AddedToken::id)
              .findFirst()
              .orElse(null);
    }
    if (id == null) {
      throw new TokenizerException(
          name + ": the vocabulary has no token " + Vocabulary.quoted(token) + " to put at texts");
    }
    return id;
  }
}
