package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which layers of Zamba are hybrid, and whose blocks they use. */
class ZambaTest {

  private static String zamba2(String more) {
    return """
    {"model_type": "zamba2", "vocab_size": 50, "hidden_size": 64, "num_attention_heads": 4,
     "num_hidden_layers": 6, "n_mamba_heads": 8,%s "use_mem_rope": true, "rope_theta": 10000}
    """
        .formatted(more);
  }

  private static List<Integer> hybrid(Architecture architecture) {
    return IntStream.range(0, architecture.layers().size())
        .filter(i -> architecture.layers().get(i).steps().size() > 1)
        .boxed()
        .toList();
  }

  private static int weightsOf(Architecture architecture, int layer) {
    Branch attention = architecture.layers().get(layer).steps().getFirst().branches().getFirst();
    return attention.wiring().weightsOf();
  }

  @Test
  void blocksAreTakenInTurn() {
    Architecture two =
        FamilyFixtures.describe(
            zamba2(
                """
                "num_mem_blocks": 2,
                "layers_block_type": ["hybrid", "mamba", "hybrid", "hybrid", "hybrid", "hybrid"],
                """));
    assertEquals(List.of(0, 2, 3, 4, 5), hybrid(two));
    assertEquals(
        List.of(-1, -1, 0, 2, 0), hybrid(two).stream().map(i -> weightsOf(two, i)).toList());
  }

  /** Those of the published Zamba 7B and of Zamba 2's defaults. */
  @Test
  void layersThatAreNotNamedAreHybridByARule() {
    Architecture zamba =
        FamilyFixtures.describe(
            """
            {"model_type": "zamba", "vocab_size": 50, "hidden_size": 64, "num_attention_heads": 4,
             "num_hidden_layers": 76, "intermediate_size": 96}
            """);
    assertEquals(List.of(2, 7, 13, 19, 25, 31, 37, 43, 49, 55, 61, 67, 73), hybrid(zamba));
    assertEquals(2, weightsOf(zamba, 73));
    Architecture zamba2 =
        FamilyFixtures.describe(
            zamba2("").replace("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 54"));
    assertEquals(List.of(6, 12, 18, 24, 30, 36, 42, 47, 51), hybrid(zamba2));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"layers_block_type\": [\"hybrid\"]"
            + "|layers_block_type names 1 layers, num_hidden_layers=6",
        "\"layers_block_type\": [\"attention\"]"
            + "|layers_block_type holds \"attention\"; this family has mamba, linear_attention and"
            + " hybrid",
        "\"hybrid_layer_ids\": [1]"
            + "|hybrid_layer_ids=[1], but the hybrid layers of layers_block_type are []",
        "\"attention_hidden_size\": 64" + "|attention_hidden_size=64 must be twice hidden_size=64",
        "\"use_long_context\": true" + "|use_long_context=true is not supported; supported: false",
        "\"mamba_headdim\": 5"
            + "|8 heads of 5 values are not the 128 values that mamba_expand says",
      })
  void whatDoesNotFitIsRefused(String setting, String message) {
    var e =
        assertThrows(ConfigException.class, () -> FamilyFixtures.describe(zamba2(setting + ",")));
    assertEquals("config.json:" + message, e.getMessage().replaceFirst(":(\\d:)? ", ":"));
  }
}
