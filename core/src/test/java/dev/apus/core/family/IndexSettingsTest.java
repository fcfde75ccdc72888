package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which layer's index chooses for each layer, however a config says it. */
class IndexSettingsTest {

  private static IndexSettings read(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(
            Map.of(
                "hidden_size", 8,
                "num_hidden_layers", 7,
                "num_attention_heads", 2,
                "index_n_heads", 3,
                "index_head_dim", 4,
                "index_topk", 5));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return IndexSettings.read(new Decoder(Config.of("config", all)), false);
  }

  @Test
  void everyLayerChoosesIfNothingIsSaid() {
    assertEquals(List.of(0, 1, 2, 3, 4, 5, 6), read().choosers());
    assertEquals(Map.of("heads", 3, "headDim", 4, "top", 5, "layout", "halves"), read().settings());
    assertEquals("interleaved", read("indexer_rope_interleave", true).settings().get("layout"));
  }

  @Test
  void allSpellingsSayTheSame() {
    List<Integer> choosers = List.of(0, 1, 1, 1, 4, 4, 4);
    assertEquals(choosers, read("index_topk_freq", 3).choosers());
    assertEquals(choosers, read("index_topk_pattern", "FFSSFSS").choosers());
    List<String> types = List.of("full", "full", "shared", "shared", "full", "shared", "shared");
    assertEquals(choosers, read("index_topk_pattern", types).choosers());
    assertEquals(
        choosers, read("indexer_types", types, "index_topk_pattern", "FFFFFFF").choosers());
    assertEquals(
        List.of(0, 1, 2, 2, 2, 2, 6),
        read("index_topk_freq", 4, "index_skip_topk_offset", 3).choosers());
  }

  @Test
  void whatCannotBeIsRefused() {
    refused(
        "the indexer of layer 0 is \"shared\"; supported: full, and after the first layer shared",
        "index_topk_pattern",
        "SFFFFFF");
    refused(
        "index_topk_pattern=FFX must be a letter, F or S, for each of 7 layers",
        "index_topk_pattern",
        "FFX");
    refused(
        "the indexer of layer 1 is \"half\"; supported: full, and after the first layer shared",
        "indexer_types",
        List.of("full", "half", "full", "full", "full", "full", "full"));
  }

  private static void refused(String message, Object... settings) {
    var e = assertThrows(ConfigException.class, () -> read(settings));
    assertEquals("config: " + message, e.getMessage());
  }
}
