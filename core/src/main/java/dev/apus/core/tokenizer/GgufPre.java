package dev.apus.core.tokenizer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the names in {@code tokenizer.ggml.pre} stand for: how a text is cut before byte pairs are
 * joined.
 *
 * @param patterns the patterns to cut with, one after the other
 * @param composed whether the text is normalised to NFC
 * @param ignoreMerges whether a pre-token that is a token needs no merges
 * @param begins whether texts begin with a token if the file does not say
 * @param spaced whether tokens spell text with visible spaces, and not bytes
 */
record GgufPre(
    List<String> patterns, boolean composed, boolean ignoreMerges, boolean begins, boolean spaced) {

  /** In place of a pattern: digits in threes from the right, where a word ends after them. */
  static final String THREES = "\\d{1,3}(?=(?:\\d{3})*\\b)";

  private static final String IDEOGRAPHS = "[一-龥\\u0800-一가-\\ud7ff]+";
  private static final String KANJI_AND_KANA = "[一-龥\\u3040-ゟ゠-ヿ]+";
  private static final String EAST_ASIAN =
      "[\\u4e00-\\u9fff\\u3400-\\u4dbf\\uf900-\\ufaff\\u3040-\\u30ff\\uff65-\\uff9f\\u2f00-\\u2fdf"
          + "\\u0e40-\\u0eff\\u1780-\\u17ff\\u1000-\\u109f\\uaa60-\\uaa7f\\ua9e0-\\ua9ff"
          + "\\uac00-\\ud7af\\u1100-\\u11ff]+";
  private static final String ASCII_MARK = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]";
  private static final String MARKED_WORDS =
      ASCII_MARK + "[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+";
  private static final String SPACES = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String CLAUSES = " ?[^(\\s|.,!?…。，、।۔،)]+";

  private static final Map<String, GgufPre> KNOWN = known();

  /** The meaning of a name, or null if it is not known. */
  static GgufPre of(String name) {
    return KNOWN.get(name);
  }

  /** All known names. */
  static Set<String> names() {
    return KNOWN.keySet();
  }

  private static GgufPre cut(String... patterns) {
    return new GgufPre(List.of(patterns), false, false, false, false);
  }

  private GgufPre afterComposing() {
    return new GgufPre(patterns, true, ignoreMerges, begins, spaced);
  }

  private GgufPre whole() {
    return new GgufPre(patterns, composed, true, begins, spaced);
  }

  private GgufPre begun() {
    return new GgufPre(patterns, composed, ignoreMerges, true, spaced);
  }

  private GgufPre inText() {
    return new GgufPre(patterns, composed, ignoreMerges, begins, true);
  }

  /** Cuts into tokens, or into the bytes of what the patterns leave together. */
  PreTokenizer preTokenizer(String where) {
    List<PreTokenizer> steps = new ArrayList<>();
    for (String pattern : patterns) {
      steps.add(
          pattern.equals(THREES) ? new DigitThrees() : SplitPreTokenizer.isolating(where, pattern));
    }
    if (!spaced) {
      steps.add(PreTokenizer.bytes());
    }
    return PreTokenizer.sequence(steps);
  }

  private static Map<String, GgufPre> known() {
    Map<String, GgufPre> all = new LinkedHashMap<>();
    put(
        all,
        cut(KnownPatterns.GPT2),
        "gpt-2 phi-2 gigachat mellum exaone4 mpt olmo jais trillion granite-docling modern-bert"
            + " jina-es jina-de jina-v2-es jina-v2-de jina-v1-en jina-v2-code roberta-bpe a.x-4.0");
    put(
        all,
        cut(KnownPatterns.LLAMA3).whole().begun(),
        "llama3 llama-v3 llama-bpe falcon3 falcon-h1 lfm2 pixtral midm-2.0 jina-v5-nano");
    put(all, cut(KnownPatterns.LLAMA3), "dbrx smaug-bpe glm4 chatglm-bpe");
    put(
        all,
        cut("\\p{N}{1,3}", KnownPatterns.LLAMA3.replace("\\p{N}{1,3}", "\\p{N}+")).whole(),
        "minicpm5");
    put(all, cut(KnownPatterns.LLAMA3.replace("|\\s+(?!\\S)|\\s+", halvedSpaces())), "jais-2");
    put(
        all,
        cut(KnownPatterns.QWEN2).afterComposing(),
        "qwen2 deepseek-r1-qwen megrez kormo f2llmv2 stablelm2 hunyuan");
    put(all, cut(KnownPatterns.QWEN2), "grok-2 solar-open");
    put(all, cut("[^\\n]+|[\\n]+", KnownPatterns.QWEN2), "laguna");
    put(all, cut(KnownPatterns.QWEN35).afterComposing(), "qwen35");
    put(all, cut(KnownPatterns.QWEN2.substring(KnownPatterns.QWEN2.indexOf("[^"))), "ufakzeka");
    put(
        all,
        cut(
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                + " ?[^\\s\\p{L}\\p{N}\\r\\n]+|"
                + SPACES),
        "seed-coder");
    put(
        all,
        cut(
            "'(?i:s|d|m|t|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}|"
                + " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"),
        "bailingmoe bailingmoe2 llada-moe");
    put(all, cut(KnownPatterns.GPT4O), "gpt-4o llama4 kanana2 talkie minimax-m2");
    put(all, cut(KnownPatterns.GPT4O).whole(), "granite-embed-multi-97m");
    put(all, cut(THREES, KnownPatterns.GPT4O), "tiny_aya cohere2moe");
    put(all, cut(KnownPatterns.TEKKEN).whole().begun(), "tekken");
    put(all, cut(KnownPatterns.KIMI), "kimi-k2");
    put(
        all,
        cut("\\p{N}", KnownPatterns.GPT2),
        "smollm starcoder refact command-r codeshell exaone minerva-7b mellum2");
    put(all, cut("[\\p{P}$+<=>^~|`]+", KnownPatterns.GPT2, "[0-9][0-9][0-9]"), "falcon");
    put(all, cut("[\\p{P}$+<=>^~|]+", KnownPatterns.GPT2, "\\p{N}+", "[0-9][0-9][0-9]"), "default");
    put(all, cut("\\p{N}+", THREES), "superbpe");
    put(all, cut("\\p{N}+", THREES, EAST_ASIAN, MARKED_WORDS + "[\\r\\n]*|" + SPACES), "afmoe");
    put(
        all,
        cut(
                "<sentinel:[0-9]+>",
                "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
                "([\\t\\n]|    |  )",
                "\\p{N}",
                "[\\p{P}!-/:-@\\[-`{-~]",
                KnownPatterns.GPT2)
            .begun(),
        "chameleon");
    put(all, cut(CLAUSES), "poro-chat bloom gpt3-finnish");
    put(all, cut(CLAUSES, "\\p{N}"), "viking");
    put(all, cut("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", IDEOGRAPHS, "\\p{N}"), "deepseek-coder");
    put(
        all,
        cut("\\p{N}{1,3}", KANJI_AND_KANA, MARKED_WORDS + "[\\r\\n]*|" + SPACES),
        "deepseek-v3 hunyuan-dense joyai-llm hy_v4");
    put(
        all,
        cut("\\p{N}{1,3}", KANJI_AND_KANA, MARKED_WORDS + "|[\\r\\n]|\\s+(?!\\S)|\\s+", "\\p{N}"),
        "spark2_5");
    put(
        all,
        cut(
                "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" + KANJI_AND_KANA,
                KnownPatterns.GPT4O.replace("\\p{N}{1,3}", "\\p{N}"))
            .whole(),
        "youtu");
    put(all, cut("[^\\n]+|[\\n]+").inText().whole().begun(), "gemma4 granite-embed-multi-311m");
    put(all, cut("[^\\n]+|[\\n]+").inText(), "sarvam-moe");
    return Collections.unmodifiableMap(all);
  }

  private static void put(Map<String, GgufPre> all, GgufPre pre, String names) {
    for (String name : names.split(" ")) {
      all.put(name, pre);
    }
  }

  /** Runs of spaces in powers of two. */
  private static String halvedSpaces() {
    StringBuilder pattern = new StringBuilder();
    for (int count = 512; count >= 4; count /= 2) {
      pattern.append("|\\s{").append(count).append("}(?!\\S)");
    }
    return pattern.append("|\\s{1,2}(?!\\S)|\\s{1}").toString();
  }
}
