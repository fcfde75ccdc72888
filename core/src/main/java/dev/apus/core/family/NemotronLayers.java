package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import java.util.ArrayList;
import java.util.List;

/** What each layer of a Nemotron-H model is, in any of its three spellings. */
enum NemotronLayers {
  MAMBA,
  ATTENTION,
  MLP,
  EXPERTS;

  private static final String LIST = "layers_block_type";
  private static final String PATTERN = "hybrid_override_pattern";

  /** The kinds of all layers; where both spellings are there, the list is what counts. */
  static List<NemotronLayers> read(Config c) {
    String key = c.has(PATTERN) && !c.has(LIST) ? PATTERN : LIST;
    List<String> words = key.equals(LIST) ? c.words(LIST) : List.of(c.word(PATTERN).split(""));
    c.ignore(PATTERN);
    List<NemotronLayers> kinds = new ArrayList<>();
    for (String word : words) {
      kinds.add(
          switch (word) {
            case "M", "mamba", "linear_attention" -> MAMBA;
            case "*", "attention", "full_attention" -> ATTENTION;
            case "-", "mlp" -> MLP;
            case "E", "moe" -> EXPERTS;
            default -> throw unknown(c, key, word);
          });
    }
    if (c.positive("num_hidden_layers", kinds.size()) != kinds.size()) {
      throw c.errorAt(
          key,
          "%s names %d layers, num_hidden_layers=%d",
          key,
          kinds.size(),
          c.positive("num_hidden_layers"));
    }
    return kinds;
  }

  private static ConfigException unknown(Config c, String key, String word) {
    return c.errorAt(
        key,
        "%s holds \"%s\"; supported: linear_attention, full_attention, mlp, moe, or M, *, -, E",
        key,
        word);
  }
}
