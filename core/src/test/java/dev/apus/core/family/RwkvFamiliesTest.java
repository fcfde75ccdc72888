package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What configs of RWKV on the hub say, and what they may not say. */
class RwkvFamiliesTest {

  private static final String PILE_169M =
      """
      {"architectures": ["RwkvForCausalLM"], "attention_hidden_size": 768, "bos_token_id": 0,
       "context_length": 1024, "eos_token_id": 0, "hidden_size": 768, "intermediate_size": 3072,
       "layer_norm_epsilon": 1e-05, "model_type": "rwkv", "num_hidden_layers": 12,
       "rescale_every": 6, "tie_word_embeddings": false, "torch_dtype": "float32",
       "use_cache": true, "vocab_size": 50277}
      """;

  private static final String EAGLE_7B =
      """
      {"architectures": ["Rwkv5ForCausalLM"], "attention_hidden_size": 4096,
       "auto_map": {"AutoConfig": "configuration_rwkv5.Rwkv5Config",
         "AutoModelForCausalLM": "modeling_rwkv5.Rwkv5ForCausalLM"},
       "bos_token_id": 0, "eos_token_id": 0, "head_size": 64, "hidden_size": 4096,
       "intermediate_size": null, "layer_norm_epsilon": 1e-05, "model_type": "rwkv5",
       "model_version": "5_2", "num_attention_heads": 64, "num_hidden_layers": 32,
       "rescale_every": 6, "tie_word_embeddings": false, "use_cache": true,
       "vocab_size": 65536}
      """;

  private static final String FINCH_1B6 =
      """
      {"architectures": ["Rwkv6ForCausalLM"], "attention_hidden_size": 2048,
       "auto_map": {"AutoConfig": "configuration_rwkv6.Rwkv6Config",
         "AutoModelForCausalLM": "modeling_rwkv6.Rwkv6ForCausalLM"},
       "bos_token_id": 0, "eos_token_id": 0, "head_size": 64, "head_size_divisor": 8,
       "hidden_size": 2048, "intermediate_size": null, "layer_norm_epsilon": 1e-05,
       "model_type": "rwkv6", "num_attention_heads": 64, "num_hidden_layers": 24,
       "rescale_every": 6, "tie_word_embeddings": false, "use_cache": true,
       "vocab_size": 65536}
      """;

  private static final String QRWKV_32B =
      """
      {"architectures": ["RWKV6Qwen2ForCausalLM"], "attention_bias": true,
       "attention_dropout": 0.0,
       "auto_map": {"AutoConfig": "configuration_rwkv6qwen2.RWKV6Qwen2Config",
         "AutoModelForCausalLM": "modeling_rwkv6qwen2.RWKV6Qwen2ForCausalLM"},
       "bos_token_id": 151643, "eos_token_id": 151645, "hidden_act": "silu",
       "hidden_size": 5120, "initializer_range": 0.02, "intermediate_size": 27648,
       "max_position_embeddings": 32768, "max_window_layers": 70, "model_type": "rwkv6qwen2",
       "num_attention_heads": 40, "num_hidden_layers": 64, "num_key_value_heads": 8,
       "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 1000000.0,
       "sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "use_cache": true, "use_sliding_window": false, "vocab_size": 152064}
      """;

  private static Part mixer(String config) {
    return part(FamilyFixtures.describe(config), 0);
  }

  private static Part part(Architecture model, int step) {
    return model.layers().getFirst().steps().get(step).branches().getFirst().part();
  }

  private static List<Double> epsilons(Layer layer) {
    return layer.steps().stream().map(s -> s.branches().getFirst().before().epsilon()).toList();
  }

  @Test
  void halvedRowsAreRaisedEpsilons() {
    Architecture model = FamilyFixtures.describe(PILE_169M);
    for (int i = 0; i < 12; i++) {
      double epsilon = i < 6 ? 1e-5 : 4e-5;
      assertEquals(List.of(epsilon, epsilon), epsilons(model.layers().get(i)), "layer " + i);
    }
    assertEquals(NormSpec.layer(1.6e-4, true), model.norm());
    assertEquals(NormSpec.layer(1e-5, true), model.embedding().norm());
    Architecture whole =
        FamilyFixtures.describe(FamilyFixtures.with(PILE_169M, "rescale_every", "0"));
    assertEquals(NormSpec.layer(1e-5, true), whole.norm());
    assertEquals(List.of(1e-5, 1e-5), epsilons(whole.layers().getLast()));
  }

  @Test
  void theLastNormHasAnEpsilonOfItsOwn() {
    String changed = FamilyFixtures.with(PILE_169M, "layer_norm_epsilon", "1e-3");
    assertEquals(1.6e-4, FamilyFixtures.describe(changed).norm().epsilon());
  }

  @Test
  void eagleIsConstant() {
    Part part = mixer(EAGLE_7B);
    assertEquals(64, part.settings().get("heads"));
    assertEquals("rkvg", part.settings().get("order"));
    assertEquals(NormSpec.layer(64e-5, true).toMap(), part.settings().get("norm"));
    assertEquals(14336, part(FamilyFixtures.describe(EAGLE_7B), 1).settings().get("inner"));
  }

  @Test
  void finchFollowsTheDataAndItsRanksTheWidth() {
    Part small = mixer(FINCH_1B6);
    assertEquals("wkvrg", small.settings().get("order"));
    assertEquals(32, small.settings().get("shareRank"));
    assertEquals(64, small.settings().get("decayRank"));
    String wide = FamilyFixtures.with(FINCH_1B6, "hidden_size", "4096");
    wide = FamilyFixtures.with(wide, "attention_hidden_size", "4096");
    assertEquals(64, mixer(wide).settings().get("shareRank"));
    assertEquals(128, mixer(wide).settings().get("decayRank"));
  }

  @Test
  void convertedTransformersBalanceTheirMemories() {
    Part part = mixer(QRWKV_32B);
    assertEquals(8, part.settings().get("kvHeads"));
    assertEquals(false, part.settings().get("bonus"));
    assertEquals(true, part.settings().get("balanced"));
    assertEquals(-5, part.settings().get("leastLogDecay"));
    assertTrue(!part.settings().containsKey("norm"), "no norm unless the config says so");
    String normed = FamilyFixtures.with(QRWKV_32B, "groupnorm_att", "true");
    assertEquals(NormSpec.layer(128 * 1e-5, true).toMap(), mixer(normed).settings().get("norm"));
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        Arguments.of(
            PILE_169M,
            "rescale_every",
            "1",
            "rescale_every=1 halves rows 12 times, so that an epsilon of 1.0E-5 is as one of"
                + " 167.77216"),
        Arguments.of(
            EAGLE_7B,
            "head_size",
            "60",
            "attention_hidden_size=4096 is not divisible by head_size=60"),
        Arguments.of(
            FINCH_1B6,
            "head_size_divisor",
            "400",
            "head_size_divisor=400.0 gives an epsilon of 1.6"),
        Arguments.of(
            QRWKV_32B, "use_rope", "true", "use_rope=true is not supported; supported: false"),
        Arguments.of(
            QRWKV_32B,
            "gate_rank_type",
            "2",
            "gate_rank_type=2 is not supported; supported: 1, gates by one matrix"));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void whatCannotBeRunIsRefused(String config, String key, String value, String message) {
    String changed = FamilyFixtures.with(config, key, value);
    var e = assertThrows(ConfigException.class, () -> FamilyFixtures.describe(changed));
    assertTrue(e.getMessage().endsWith(message), e.getMessage());
  }
}
