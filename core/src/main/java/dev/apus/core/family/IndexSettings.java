package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Part;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The indexes of DeepSeek Sparse Attention: their settings in the document's words, and for each
 * layer, the one whose index chooses what it attends to.
 */
record IndexSettings(Map<String, Object> settings, List<Integer> choosers) {

  static final String OURS = LatentSettings.OURS + "index.";

  private static final String FULL = "full";
  private static final String SHARED = "shared";
  private static final String TYPES = "indexer_types";
  private static final String PATTERN = "index_topk_pattern";

  /**
   * @param interleaved whether pairs that turn are neighbours, if the config does not say
   */
  static IndexSettings read(Decoder d, boolean interleaved) {
    Config c = d.c;
    boolean neighbours = c.flag("indexer_rope_interleave", interleaved);
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("heads", c.positive("index_n_heads"));
    settings.put("headDim", c.positive("index_head_dim"));
    settings.put("top", c.positive("index_topk"));
    settings.put("layout", neighbours ? "interleaved" : "halves");
    return new IndexSettings(settings, choosers(d));
  }

  /** An attention part that chooses so. */
  Part on(Part attention) {
    return attention.with("index", settings);
  }

  private static List<Integer> choosers(Decoder d) {
    List<String> types = types(d);
    List<Integer> choosers = new ArrayList<>();
    for (int i = 0; i < d.layers; i++) {
      String type = types.get(i);
      if (!type.equals(FULL) && (i == 0 || !type.equals(SHARED))) {
        throw d.c.errorAt(
            d.c.has(TYPES) ? TYPES : PATTERN,
            "the indexer of layer %d is \"%s\"; supported: full, and after the first layer shared",
            i,
            type);
      }
      choosers.add(type.equals(FULL) ? i : choosers.getLast());
    }
    return choosers;
  }

  /** Which layers have an index: named, as letters, or by a rule. */
  private static List<String> types(Decoder d) {
    Config c = d.c;
    // Further tokens are not predicted.
    c.ignore("index_share_for_mtp_iteration");
    int step = Math.max(1, c.count("index_topk_freq", 1));
    int offset = c.count("index_skip_topk_offset", 2);
    if (!c.has(TYPES) && c.has(PATTERN)) {
      return c.raw(PATTERN) instanceof String letters
          ? letters(d, letters)
          : d.layerTypes(PATTERN, i -> FULL);
    }
    c.ignore(PATTERN);
    return d.layerTypes(TYPES, i -> Math.max(0, i - offset + 1) % step == 0 ? FULL : SHARED);
  }

  private static List<String> letters(Decoder d, String letters) {
    if (!letters.matches("[FS]{" + d.layers + "}")) {
      throw d.c.errorAt(
          PATTERN,
          "%s=%s must be a letter, F or S, for each of %d layers",
          PATTERN,
          letters,
          d.layers);
    }
    return letters.chars().mapToObj(letter -> letter == 'F' ? FULL : SHARED).toList();
  }
}
