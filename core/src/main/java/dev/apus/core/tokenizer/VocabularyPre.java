package dev.apus.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The name that GGUF has for the way in which a {@code tokenizer.json} cuts texts. */
final class VocabularyPre {

  private VocabularyPre() {}

  /**
   * The name.
   *
   * @throws TokenizerException if there is none
   */
  static String name(String name, JsonNode root) {
    return nameOf(name, kind(name, root));
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
        default ->
            throw VocabularyConversion.unsaid(name, "its pre_tokenizer is " + step.path("type"));
      }
    }
    JsonNode normalizer = root.path("normalizer");
    boolean composed = normalizer.path("type").asText().equals("NFC");
    if (!composed && !normalizer.isNull() && !normalizer.isMissingNode()) {
      throw VocabularyConversion.unsaid(name, "its normalizer is " + normalizer.path("type"));
    }
    boolean ignoreMerges = root.path("model").path("ignore_merges").asBoolean();
    return new GgufPre(patterns, composed, ignoreMerges, false, false);
  }

  /** The first name that stands for this way to cut texts, whatever it says of their beginning. */
  private static String nameOf(String name, GgufPre wanted) {
    List<String> names = new ArrayList<>(List.of("gpt-2", "llama-bpe", "qwen2", "smollm"));
    names.addAll(GgufPre.names());
    for (String known : names) {
      GgufPre pre = GgufPre.of(known);
      if (pre.patterns().equals(wanted.patterns())
          && pre.composed() == wanted.composed()
          && pre.ignoreMerges() == wanted.ignoreMerges()
          && !pre.spaced()) {
        return known;
      }
    }
    throw VocabularyConversion.unsaid(name, "texts are cut by " + wanted.patterns());
  }
}
