package dev.apus.core.tokenizer;

import java.util.Locale;

/** The patterns that a file may name without spelling them out. */
final class KnownPatterns {

  static final String GPT2 =
      "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

  static final String LLAMA3 = letters("\\p{L}", "\\p{L}", "{1,3}");

  static final String QWEN2 = letters("\\p{L}", "\\p{L}", "");

  static final String QWEN35 = letters("[\\p{L}\\p{M}]", "\\p{L}\\p{M}", "");

  static final String GPT4O =
      cased("*", "+") + "|" + cased("+", "*") + "|" + rest("\\p{L}", "{1,3}", "/");

  static final String TEKKEN =
      word("*", "+") + "|" + word("+", "*") + "|" + rest("\\p{L}", "", "/");

  static final String KIMI =
      "[\\p{Han}]+|"
          + cased("*", "+").replace("\\p{M}]", "\\p{M}&&[^\\p{Han}]]")
          + "|"
          + cased("+", "*").replace("\\p{M}]", "\\p{M}&&[^\\p{Han}]]")
          + "|"
          + rest("\\p{L}", "{1,3}", "");

  /**
   * One mark of punctuation, ASCII's symbols among them, or a run of anything but spaces. Marks
   * that Unicode has gained since version 8 count too; the reference's table is that old.
   */
  static final String BERT_WORD = "[\\p{P}$+<=>^`|~]|[^\\s\\p{P}$+<=>^`|~]+";

  /** One mark of punctuation, as above. */
  static final String PUNCTUATION = "[\\p{P}$+<=>^`|~]";

  private KnownPatterns() {}

  private static String letters(String letter, String noSymbol, String digits) {
    return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?"
        + letter
        + "+|"
        + rest(noSymbol, digits, "");
  }

  private static String cased(String upper, String lower) {
    return word(upper, lower) + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
  }

  private static String word(String upper, String lower) {
    return "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
        + upper
        + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
        + lower;
  }

  private static String rest(String noSymbol, String digits, String slash) {
    return String.format(
        Locale.ROOT,
        "\\p{N}%s| ?[^\\s%s\\p{N}]+[\\r\\n%s]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        digits,
        noSymbol,
        slash);
  }
}
