package dev.apus.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.config.ConfigWriter;
import dev.apus.core.file.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The vocabulary of a checkpoint in the words of the other layout: a folder's {@code
 * tokenizer.json} as the metadata of a GGUF file, and the other way round. Byte-level pairs alone
 * have both.
 */
public final class VocabularyConversion {

  private static final String PREFIX = GgufVocabulary.PREFIX;

  /** Texts that vocabularies cut in different ways. */
  private static final List<String> PROBES =
      List.of(
          "Once upon a time, there were 1234567 swifts.",
          "  don't WE'LL\t\tcaf\u00e9 cafe\u0301 na\u00efve\n\n\n"
              + " x=[1,2];  // \u4f60\u597d \u0441\u0432\u0438\u0444\u0442",
          "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \ud83d\ude80\ud83c\udffd 3.14159e-10 <|x|> ''s 'S");

  private VocabularyConversion() {}

  /**
   * Writes a folder's vocabulary into a file. Without a tokenizer the file says that it has none.
   *
   * @param name for messages
   * @param tokenizer the bytes of {@code tokenizer.json}, or null
   * @param config the bytes of {@code tokenizer_config.json}, or null
   * @param size of the model's vocabulary, which may be larger
   * @param ends the tokens that end a text, of which files name two
   * @throws TokenizerException if files of this format have no word for it
   */
  public static void write(
      GgufWriter file, String name, byte[] tokenizer, byte[] config, int size, List<Integer> ends) {
    Map<String, Object> said =
        tokenizer == null
            ? new LinkedHashMap<>(Map.of(PREFIX + "model", "none"))
            : metadata(name, tokenizer, config, size);
    for (int end : ends) {
      said.putIfAbsent(PREFIX + "eos_token_id", (long) end);
      if (!said.get(PREFIX + "eos_token_id").equals((long) end)) {
        said.putIfAbsent(PREFIX + "eot_token_id", (long) end);
      }
    }
    if (tokenizer != null) {
      requireSame(name, tokenizer, config, said);
    }
    said.forEach((key, value) -> put(file, key, value));
  }

  private static void requireSame(
      String name, byte[] tokenizer, byte[] config, Map<String, Object> said) {
    Tokenizer expected = Tokenizer.parse(name + "/tokenizer.json", tokenizer, config);
    Tokenizer found = Tokenizer.ofGguf(name, said);
    for (String probe : PROBES) {
      for (boolean begins : new boolean[] {true, false}) {
        if (!Arrays.equals(
            expected.encode(probe, begins, true), found.encode(probe, begins, true))) {
          throw unsupported(name, "a GGUF file with it would cut \"" + probe + "\" otherwise");
        }
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static void put(GgufWriter file, String key, Object value) {
    switch (value) {
      case String text -> file.text(key, text);
      case Boolean flag -> file.flag(key, flag);
      case Long number -> file.u32(key, number);
      case int[] numbers -> file.i32s(key, numbers);
      default -> file.texts(key, (List<String>) value);
    }
  }

  private static Map<String, Object> metadata(
      String name, byte[] tokenizer, byte[] config, int size) {
    JsonNode root = parse(name, tokenizer);
    JsonNode model = root.path("model");
    if (!model.path("type").asText().equals("BPE") || model.path("byte_fallback").asBoolean()) {
      throw unsupported(name, "its model is no byte-level BPE");
    }
    Map<String, Integer> ids = new HashMap<>();
    model.path("vocab").properties().forEach(e -> ids.put(e.getKey(), e.getValue().asInt()));
    String[] tokens = new String[size];
    int[] types = new int[size];
    ids.forEach((token, id) -> set(name, tokens, types, id, token, PieceType.NORMAL));
    for (JsonNode added : root.path("added_tokens")) {
      boolean special = added.path("special").asBoolean();
      String content = added.path("content").asText();
      PieceType type = special ? PieceType.CONTROL : PieceType.USER_DEFINED;
      set(name, tokens, types, added.path("id").asInt(), content, type);
      ids.put(content, added.path("id").asInt());
    }
    for (int id = 0; id < size; id++) {
      if (tokens[id] == null) {
        tokens[id] = "[PAD" + id + "]";
        types[id] = PieceType.UNUSED.number();
      }
    }
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : model.path("merges")) {
      merges.add(
          merge.isArray() ? merge.path(0).asText() + " " + merge.path(1).asText() : merge.asText());
    }
    Map<String, Object> said = new LinkedHashMap<>();
    said.put(PREFIX + "model", "gpt2");
    said.put(PREFIX + "pre", nameOf(name, kind(name, root)));
    said.put(PREFIX + "tokens", List.of(tokens));
    said.put(PREFIX + "token_type", types);
    said.put(PREFIX + "merges", merges);
    Tokenizer whole = Tokenizer.parse(name + "/tokenizer.json", tokenizer, config);
    int[] begun = whole.encode("", true, false);
    if (begun.length > 1) {
      throw unsupported(name, "it puts " + begun.length + " tokens before a text");
    }
    JsonNode named = config == null ? root.path("none") : parse(name, config);
    if (begun.length == 1) {
      said.put(PREFIX + "bos_token_id", (long) begun[0]);
    }
    for (String token : new String[] {"bos", "eos", "mask", "pad", "unk"}) {
      JsonNode value = named.path(token + "_token");
      Integer id = ids.get(value.isObject() ? value.path("content").asText() : value.asText());
      if (id != null && !value.isMissingNode() && !value.isNull()) {
        String key = token.equals("unk") ? "unknown" : token.equals("pad") ? "padding" : token;
        said.putIfAbsent(PREFIX + key + "_token_id", (long) id);
      }
    }
    said.put(PREFIX + "add_bos_token", begun.length == 1);
    return said;
  }

  private static void set(
      String name, String[] tokens, int[] types, int id, String token, PieceType type) {
    if (id < 0 || id >= tokens.length) {
      throw unsupported(
          name,
          String.format(
              Locale.ROOT, "token %s has the id %d, the model has %d", token, id, tokens.length));
    }
    tokens[id] = token;
    types[id] = type.number();
  }

  private static GgufPre kind(String name, JsonNode root) {
    List<String> patterns = new ArrayList<>();
    JsonNode pre = root.path("pre_tokenizer");
    Iterable<JsonNode> steps =
        pre.path("type").asText().equals("Sequence") ? pre.path("pretokenizers") : List.of(pre);
    for (JsonNode step : steps) {
      switch (step.path("type").asText()) {
        case "Split" -> patterns.add(step.path("pattern").path("Regex").asText());
        case "Digits" ->
            patterns.add(step.path("individual_digits").asBoolean() ? "\\p{N}" : "\\p{N}+");
        case "ByteLevel" -> {
          if (step.path("use_regex").asBoolean(true)) {
            patterns.add(KnownPatterns.GPT2);
          }
        }
        default -> throw unsupported(name, "its pre_tokenizer is " + step.path("type"));
      }
    }
    JsonNode normalizer = root.path("normalizer");
    boolean composed = normalizer.path("type").asText().equals("NFC");
    if (!composed && !normalizer.isNull() && !normalizer.isMissingNode()) {
      throw unsupported(name, "its normalizer is " + normalizer.path("type"));
    }
    boolean ignoreMerges = root.path("model").path("ignore_merges").asBoolean();
    return new GgufPre(patterns, composed, ignoreMerges, false, false);
  }

  /**
   * Writes the vocabulary and chat template of a file into a folder, if it has a vocabulary of a
   * kind that is known.
   *
   * @throws TokenizerException if it has one of another kind
   */
  public static void writeFolder(String name, Map<String, Object> metadata, Path to)
      throws IOException {
    if (metadata.get(PREFIX + "model") == null || "none".equals(metadata.get(PREFIX + "model"))) {
      return;
    }
    if (!"gpt2".equals(metadata.get(PREFIX + "model"))) {
      throw unwritten(name, metadata.get(PREFIX + "model"));
    }
    Tokenizer.ofGguf(name, metadata);
    GgufVocabulary file = new GgufVocabulary(name, metadata);
    List<String> tokens = file.texts("tokens");
    GgufPre kind = GgufPre.of(file.text("pre"));
    if (kind.spaced() || kind.patterns().contains(GgufPre.THREES)) {
      throw unwritten(name, metadata.get(PREFIX + "pre"));
    }
    List<PieceType> types = file.types(tokens.size());
    Map<String, Object> vocab = new LinkedHashMap<>();
    List<Object> added = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      switch (types.get(id)) {
        case UNUSED -> {}
        case UNKNOWN, CONTROL, USER_DEFINED -> {
          vocab.put(tokens.get(id), id);
          added.add(added(id, tokens.get(id), types.get(id)));
        }
        case NORMAL, BYTE -> vocab.put(tokens.get(id), id);
      }
    }
    Map<String, Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", kind.ignoreMerges());
    model.put("vocab", vocab);
    model.put("merges", file.texts("merges"));
    Map<String, Object> bytes = new LinkedHashMap<>();
    bytes.put("type", "ByteLevel");
    bytes.put("add_prefix_space", false);
    bytes.put("trim_offsets", true);
    bytes.put("use_regex", false);
    List<Object> steps = new ArrayList<>();
    for (String pattern : kind.patterns()) {
      Map<String, Object> split = new LinkedHashMap<>();
      split.put("type", "Split");
      split.put("pattern", Map.of("Regex", pattern));
      split.put("behavior", "Isolated");
      split.put("invert", false);
      steps.add(split);
    }
    steps.add(bytes);
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("version", "1.0");
    root.put("truncation", null);
    root.put("padding", null);
    root.put("added_tokens", added);
    root.put("normalizer", kind.composed() ? Map.of("type", "NFC") : null);
    root.put("pre_tokenizer", Map.of("type", "Sequence", "pretokenizers", steps));
    root.put("post_processor", template(file, metadata, kind, tokens));
    root.put("decoder", bytes);
    root.put("model", model);
    Files.writeString(to.resolve("tokenizer.json"), ConfigWriter.json(root));
    Files.writeString(to.resolve("tokenizer_config.json"), ConfigWriter.json(config(metadata)));
  }

  private static Map<String, Object> added(int id, String token, PieceType type) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("id", id);
    one.put("content", token);
    for (String key : new String[] {"single_word", "lstrip", "rstrip", "normalized"}) {
      one.put(key, false);
    }
    one.put("special", type != PieceType.USER_DEFINED);
    return one;
  }

  private static String token(Map<String, Object> metadata, String name) {
    return metadata.get(PREFIX + name + "_token_id") instanceof Long id
        ? (String) ((List<?>) metadata.get(PREFIX + "tokens")).get(Math.toIntExact(id))
        : null;
  }

  private static Map<String, Object> config(Map<String, Object> metadata) {
    Map<String, Object> config = new LinkedHashMap<>();
    for (String name : new String[] {"bos", "eos", "mask"}) {
      String token = token(metadata, name);
      if (token != null) {
        config.put(name + "_token", token);
      }
    }
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    if (metadata.get("tokenizer.chat_template") instanceof String template) {
      config.put("chat_template", template);
    }
    return config;
  }

  /** What puts tokens around a text; null if there are none. */
  private static Map<String, Object> template(
      GgufVocabulary file, Map<String, Object> metadata, GgufPre kind, List<String> tokens) {
    String begin = token(metadata, "bos");
    String end = token(metadata, "eos");
    boolean begins = begin != null && file.flag("add_bos_token", kind.begins());
    boolean ends = end != null && file.flag("add_eos_token", false);
    if (!begins && !ends) {
      return null;
    }
    Map<String, Object> special = new LinkedHashMap<>();
    List<Object> one = new ArrayList<>();
    List<Object> two = new ArrayList<>();
    if (begins) {
      special.put(begin, around(begin, tokens));
      one.add(piece("SpecialToken", begin, 0));
      two.add(piece("SpecialToken", begin, 0));
    }
    one.add(piece("Sequence", "A", 0));
    two.add(piece("Sequence", "A", 0));
    two.add(piece("Sequence", "B", 1));
    if (ends) {
      special.put(end, around(end, tokens));
      one.add(piece("SpecialToken", end, 0));
      two.add(piece("SpecialToken", end, 1));
    }
    Map<String, Object> template = new LinkedHashMap<>();
    template.put("type", "TemplateProcessing");
    template.put("single", one);
    template.put("pair", two);
    template.put("special_tokens", special);
    return template;
  }

  private static Map<String, Object> around(String token, List<String> tokens) {
    Map<String, Object> named = new LinkedHashMap<>();
    named.put("id", token);
    named.put("ids", List.of(tokens.indexOf(token)));
    named.put("tokens", List.of(token));
    return named;
  }

  private static Map<String, Object> piece(String kind, String id, int type) {
    Map<String, Object> named = new LinkedHashMap<>();
    named.put("id", id);
    named.put("type_id", type);
    return Map.of(kind, named);
  }

  private static JsonNode parse(String name, byte[] json) {
    try {
      return new ObjectMapper().readTree(json);
    } catch (IOException e) {
      throw new TokenizerException(name + ": a tokenizer's file is no JSON: " + e.getMessage(), e);
    }
  }

  /** The first name that stands for this way to cut texts, whatever it says of their beginning. */
  private static String nameOf(String name, GgufPre wanted) {
    List<String> names = new ArrayList<>(List.of("gpt-2", "llama-bpe", "qwen2", "smollm"));
    names.addAll(List.of(GgufPre.names().split(", ")));
    for (String known : names) {
      GgufPre pre = GgufPre.of(known);
      if (pre.patterns().equals(wanted.patterns())
          && pre.composed() == wanted.composed()
          && pre.ignoreMerges() == wanted.ignoreMerges()
          && !pre.spaced()) {
        return known;
      }
    }
    throw unsupported(name, "texts are cut by " + wanted.patterns());
  }

  private static TokenizerException unwritten(String name, Object kind) {
    return new TokenizerException(
        name + ": the vocabulary " + kind + " cannot be written as tokenizer.json yet");
  }

  private static TokenizerException unsupported(String name, String why) {
    return new TokenizerException(
        name + ": the vocabulary has no word in GGUF that Apus knows: " + why);
  }
}
