package dev.apus.core.tokenizer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/** Sections of a {@code tokenizer.json} that is made of another file. */
final class TokenizerJson {

  private TokenizerJson() {}

  /** The whole document; sections may be null. */
  static Map<String, Object> whole(
      List<AddedToken> added,
      Map<String, Object> normalizer,
      Map<String, Object> preTokenizer,
      Map<String, Object> template,
      Map<String, Object> decoder,
      Map<String, Object> model) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("version", "1.0");
    root.put("truncation", null);
    root.put("padding", null);
    root.put("added_tokens", added.stream().map(TokenizerJson::added).toList());
    root.put("normalizer", normalizer);
    root.put("pre_tokenizer", preTokenizer);
    root.put("post_processor", template);
    root.put("decoder", decoder);
    root.put("model", model);
    return root;
  }

  private static Map<String, Object> added(AddedToken token) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("id", token.id());
    one.put("content", token.content());
    one.put("single_word", token.singleWord());
    one.put("lstrip", token.stripLeft());
    one.put("rstrip", token.stripRight());
    one.put("normalized", token.normalized());
    one.put("special", token.special());
    return one;
  }

  /** Byte-level pairs. */
  static Map<String, Object> pairs(
      Map<String, Integer> vocabulary, List<String> merges, boolean ignoreMerges) {
    Map<String, Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", ignoreMerges);
    model.put("vocab", vocabulary);
    model.put("merges", merges);
    return model;
  }

  static Map<String, Object> byteLevel(boolean prefix, boolean gpt2) {
    Map<String, Object> bytes = new LinkedHashMap<>();
    bytes.put("type", "ByteLevel");
    bytes.put("add_prefix_space", prefix);
    bytes.put("trim_offsets", true);
    bytes.put("use_regex", gpt2);
    return bytes;
  }

  static Map<String, Object> split(String pattern) {
    Map<String, Object> split = new LinkedHashMap<>();
    split.put("type", "Split");
    split.put("pattern", Map.of("Regex", pattern));
    split.put("behavior", "Isolated");
    split.put("invert", false);
    return split;
  }

  static Map<String, Object> sequence(List<Map<String, Object>> steps) {
    return Map.of("type", "Sequence", "pretokenizers", steps);
  }

  static Map<String, Object> wordPieces(Map<String, Integer> vocabulary, String unknown) {
    Map<String, Object> model = new LinkedHashMap<>();
    model.put("type", "WordPiece");
    model.put("unk_token", unknown);
    model.put("continuing_subword_prefix", "##");
    model.put("max_input_chars_per_word", GgufTokenizer.LONGEST_WORD);
    model.put("vocab", vocabulary);
    return model;
  }

  static Map<String, Object> bert(boolean ideographs, boolean stripAccents, boolean lowercase) {
    Map<String, Object> normalizer = new LinkedHashMap<>();
    normalizer.put("type", "BertNormalizer");
    normalizer.put("clean_text", true);
    normalizer.put("handle_chinese_chars", ideographs);
    normalizer.put("strip_accents", stripAccents);
    normalizer.put("lowercase", lowercase);
    return normalizer;
  }

  static Map<String, Object> wordDecoder() {
    Map<String, Object> decoder = new LinkedHashMap<>();
    decoder.put("type", "WordPiece");
    decoder.put("prefix", "##");
    decoder.put("cleanup", true);
    return decoder;
  }

  /** What puts tokens around a text, either of which may be null; null if there are none. */
  static Map<String, Object> template(String begin, String end, ToIntFunction<String> ids) {
    if (begin == null && end == null) {
      return null;
    }
    Map<String, Object> special = new LinkedHashMap<>();
    List<Object> one = new ArrayList<>();
    List<Object> two = new ArrayList<>();
    if (begin != null) {
      special.put(begin, named(begin, ids));
      one.add(piece("SpecialToken", begin, 0));
      two.add(piece("SpecialToken", begin, 0));
    }
    one.add(piece("Sequence", "A", 0));
    two.add(piece("Sequence", "A", 0));
    two.add(piece("Sequence", "B", 1));
    if (end != null) {
      special.put(end, named(end, ids));
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

  private static Map<String, Object> named(String token, ToIntFunction<String> ids) {
    Map<String, Object> named = new LinkedHashMap<>();
    named.put("id", token);
    named.put("ids", List.of(ids.applyAsInt(token)));
    named.put("tokens", List.of(token));
    return named;
  }

  private static Map<String, Object> piece(String kind, String id, int type) {
    Map<String, Object> named = new LinkedHashMap<>();
    named.put("id", id);
    named.put("type_id", type);
    return Map.of(kind, named);
  }
}
