package dev.apus.core.family;

import static dev.apus.core.family.FamilyFixtures.describe;
import static dev.apus.core.family.FamilyFixtures.mixer;
import static dev.apus.core.family.FamilyFixtures.with;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** xLSTM 7B and HGRN: what their configs mean, and what cannot be run. */
class GatedRnnFamiliesTest {

  private static final String XLSTM = RecurrentHubConfig.XLSTM_7B.json;

  private static final String HGRN =
      """
      {"model_type": "hgrn", "hidden_size": 64, "num_hidden_layers": 3, "vocab_size": 100,
       "expand_ratio": 1, "use_short_conv": false, "conv_size": 3}
      """;

  @Test
  void xlstmHasTheShapeOfItsFactors() {
    Architecture read = describe(XLSTM);
    Map<String, Object> cell = mixer(read, 1).part().settings();
    assertEquals(
        List.of(8, 256, 512, 15.0),
        List.of(cell.get("heads"), cell.get("keyDim"), cell.get("valueDim"), cell.get("cap")));
    assertEquals(List.of(2, 30f), List.of(read.layers().size(), read.head().softcap()));
  }

  @Test
  void theBoundsOfHgrnBeginWithTheSecondLayer() {
    Architecture read = describe(HGRN);
    assertNull(mixer(read, 0).part().settings().get("bounds"));
    for (int layer = 1; layer < 3; layer++) {
      assertEquals(
          Map.of("layers", 3, "layer", layer), mixer(read, layer).part().settings().get("bounds"));
    }
    Architecture without = describe(with(HGRN, "use_lower_bound", "false"));
    assertNull(mixer(without, 2).part().settings().get("bounds"));
  }

  @Test
  void hgrnMayBeWiderThanItsRows() {
    String wide = with(with(HGRN, "use_lower_bound", "false"), "expand_ratio", "1.5");
    Map<String, Object> settings =
        mixer(describe(with(wide, "use_short_conv", "true")), 0).part().settings();
    assertEquals(List.of(96, 3), List.of(settings.get("inner"), settings.get("taps")));
  }

  @ParameterizedTest(name = "{0}={1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "use_bias | true | use_bias=true is not supported; supported: false",
        "add_qk_norm | true | add_qk_norm=true is not supported; supported: false",
        "add_out_norm | false | add_out_norm=false is not supported; supported: true",
        "weight_mode | \"split\" | weight_mode=\"split\" is not supported; supported: single,"
            + " fused",
        "hidden_size | 2048 | hidden_size=2048 and embedding_dim=4096 disagree",
        "v_dim_factor | 0.3 | v_dim_factor=0.3 makes 1228 values, which are not divisible by"
            + " num_heads=8",
        "qk_dim_factor | 0 | qk_dim_factor=0.0 of 4096 is no size",
      })
  void whatXlstmCannotHaveIsRefused(String key, String value, String message) {
    assertRefused(with(XLSTM, key, value), message);
  }

  @Test
  void whatHgrnCannotHaveIsRefused() {
    assertRefused(
        with(HGRN, "expand_ratio", "2"),
        "expand_ratio=2 makes 128 channels, but lower_bounds has hidden_size=64; needed:"
            + " use_lower_bound=false");
    String shared = with(HGRN, "share_conv_kernel", "true");
    describe(shared);
    assertRefused(
        with(shared, "use_short_conv", "true"),
        "share_conv_kernel=true is not supported; supported: false, a convolution after each"
            + " projection");
  }

  private static void assertRefused(String config, String message) {
    var e = assertThrows(ConfigException.class, () -> describe(config));
    assertEquals("config.json:1: " + message, e.getMessage());
  }
}
