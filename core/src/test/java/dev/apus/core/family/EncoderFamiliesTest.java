package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.NormSpec;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Configs of encoders as they are on the hub, some scaled down. */
class EncoderFamiliesTest {

  private static final String BERT =
      """
      {"architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1,
       "gradient_checkpointing": false, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
       "hidden_size": 96, "initializer_range": 0.02, "intermediate_size": 384,
       "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert",
       "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 0,
       "position_embedding_type": "absolute", "transformers_version": "4.6.0.dev0",
       "type_vocab_size": 2, "use_cache": true, "vocab_size": 30522}
      """;

  private static final String MODERN_BERT =
      """
      {"architectures": ["ModernBertForMaskedLM"], "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 50281, "classifier_activation": "gelu",
       "classifier_bias": false, "classifier_dropout": 0.0, "classifier_pooling": "mean",
       "cls_token_id": 50281, "decoder_bias": true, "deterministic_flash_attn": false,
       "embedding_dropout": 0.0, "eos_token_id": 50282, "global_attn_every_n_layers": 3,
       "global_rope_theta": 160000.0, "gradient_checkpointing": false,
       "hidden_activation": "gelu", "hidden_size": 96, "initializer_cutoff_factor": 2.0,
       "initializer_range": 0.02, "intermediate_size": 144, "layer_norm_eps": 1e-05,
       "local_attention": 128, "local_rope_theta": 10000.0, "max_position_embeddings": 8192,
       "mlp_bias": false, "mlp_dropout": 0.0, "model_type": "modernbert", "norm_bias": false,
       "norm_eps": 1e-05, "num_attention_heads": 12, "num_hidden_layers": 22,
       "pad_token_id": 50283, "position_embedding_type": "absolute", "reference_compile": true,
       "sep_token_id": 50282, "sparse_pred_ignore_index": -100, "sparse_prediction": false,
       "tie_word_embeddings": true, "torch_dtype": "float32",
       "transformers_version": "4.47.0.dev0", "vocab_size": 50368}
      """;

  private static final String NYSTROMFORMER =
      """
      {"architectures": ["NystromformerForMaskedLM"], "attention_probs_dropout_prob": 0.1,
       "bos_token_id": 0, "conv_kernel_size": 65, "eos_token_id": 2, "hidden_act": "gelu_new",
       "hidden_dropout_prob": 0.1, "hidden_size": 96, "initializer_range": 0.02,
       "intermediate_size": 384, "inv_coeff_init_option": false, "layer_norm_eps": 1e-05,
       "max_position_embeddings": 510, "model_type": "nystromformer",
       "num_attention_heads": 12, "num_hidden_layers": 12, "num_landmarks": 64,
       "pad_token_id": 1, "segment_means_seq_len": 512, "torch_dtype": "float32",
       "transformers_version": "4.16.0.dev0", "type_vocab_size": 2, "vocab_size": 30000}
      """;

  private static final String FNET =
      """
      {"architectures": ["FNetForPreTraining"], "bos_token_id": 1, "eos_token_id": 2,
       "hidden_act": "gelu_new", "hidden_dropout_prob": 0.1, "hidden_size": 96,
       "initializer_range": 0.02, "intermediate_size": 384, "layer_norm_eps": 1e-12,
       "max_position_embeddings": 512, "model_type": "fnet", "num_hidden_layers": 12,
       "pad_token_id": 3, "tpu_short_seq_length": 512, "type_vocab_size": 4,
       "use_tpu_fourier_optimizations": true, "vocab_size": 32000}
      """;

  private static final String LONGFORMER =
      """
      {"attention_mode": "longformer", "architectures": ["LongformerForMaskedLM"],
       "attention_probs_dropout_prob": 0.1, "attention_window": [512, 256], "bos_token_id": 0,
       "eos_token_id": 2, "gradient_checkpointing": false, "hidden_act": "gelu",
       "hidden_dropout_prob": 0.1, "hidden_size": 96, "ignore_attention_mask": false,
       "initializer_range": 0.02, "intermediate_size": 384, "layer_norm_eps": 1e-05,
       "max_position_embeddings": 4098, "model_type": "longformer", "num_attention_heads": 12,
       "num_hidden_layers": 2, "pad_token_id": 1, "sep_token_id": 2, "type_vocab_size": 1,
       "vocab_size": 50265}
      """;

  private static final String BIG_BIRD =
      """
      {"architectures": ["BigBirdForPreTraining"], "attention_probs_dropout_prob": 0.1,
       "attention_type": "block_sparse", "block_size": 64, "bos_token_id": 1, "eos_token_id": 2,
       "gradient_checkpointing": false, "hidden_act": "gelu_new", "hidden_dropout_prob": 0.1,
       "hidden_size": 96, "initializer_range": 0.02, "intermediate_size": 384,
       "layer_norm_eps": 1e-12, "max_position_embeddings": 4096, "model_type": "big_bird",
       "num_attention_heads": 12, "num_hidden_layers": 2, "num_random_blocks": 3,
       "pad_token_id": 0, "position_embedding_type": "absolute", "rescale_embeddings": false,
       "sep_token_id": 66, "type_vocab_size": 2, "use_bias": true, "use_cache": true,
       "vocab_size": 50358}
      """;

  @Test
  void longformerHasAWindowForEachLayer() {
    Architecture model = FamilyFixtures.describe(LONGFORMER);
    assertEquals(257, mixer(model, 0).get("window"), "256 tokens on either side, and itself");
    assertEquals(129, mixer(model, 1).get("window"));
    assertEquals(4096, model.context());
    assertEquals(2, model.embedding().skipped());
    String one = FamilyFixtures.with(LONGFORMER, "attention_window", "32");
    assertEquals(17, mixer(FamilyFixtures.describe(one), 1).get("window"));
    String relu = FamilyFixtures.with(LONGFORMER, "hidden_act", "\"relu\"");
    assertEquals("gelu", FamilyFixtures.describe(relu).head().transform().activation());
    refused(
        LONGFORMER,
        "attention_window",
        "[512]",
        "attention_window has 1 windows; needed: one for each of num_hidden_layers=2");
    refused(LONGFORMER, "attention_window", "31", "attention_window=31 must be even and positive");
    refused(
        LONGFORMER,
        "attention_mode",
        "\"tvm\"",
        "attention_mode=\"tvm\" is not supported; supported: longformer");
    refused(
        LONGFORMER,
        "max_position_embeddings",
        "2",
        "max_position_embeddings=2 has no place after the first 2, which are of padding");
  }

  @Test
  void bigBirdCountsTheFirstBlockForThoseThatWereDrawn() {
    Architecture model = FamilyFixtures.describe(BIG_BIRD);
    assertEquals(
        Map.of("kind", "blocks", "block", 64, "near", 1, "firstCounts", 4, "whole", 11 * 64),
        mixer(model, 1).get("select"));
    assertEquals("gelu-tanh", model.head().transform().activation());
    String full = FamilyFixtures.with(BIG_BIRD, "attention_type", "\"original_full\"");
    assertFalse(mixer(FamilyFixtures.describe(full), 0).containsKey("select"));
    String scaled = FamilyFixtures.with(BIG_BIRD, "rescale_embeddings", "true");
    assertEquals((float) Math.sqrt(96), FamilyFixtures.describe(scaled).embedding().scale());
    refused(
        BIG_BIRD,
        "attention_type",
        "\"dense\"",
        "attention_type=\"dense\" is not supported; supported: block_sparse, original_full");
    refused(BIG_BIRD, "is_decoder", "true", "is_decoder=true is not supported; supported: false");
  }

  private static void refused(String config, String key, String value, String message) {
    String changed = FamilyFixtures.with(config, key, value);
    var e = assertThrows(ConfigException.class, () -> FamilyFixtures.describe(changed));
    assertTrue(e.getMessage().endsWith(message), e.getMessage());
  }

  private static Map<String, Object> mixer(Architecture model, int layer) {
    return FamilyFixtures.mixer(model, layer).part().settings();
  }

  @Test
  void bertNormalisesItsSums() {
    Architecture model = FamilyFixtures.describe(BERT);
    assertTrue(model.isEncoder());
    NormSpec norm = NormSpec.layer(1e-12, true);
    assertEquals(new Embedding(1, 512, norm).withTypes(2), model.embedding());
    assertEquals(
        List.of(norm, norm), model.layers().get(11).steps().stream().map(Step::sum).toList());
    assertNull(model.norm());
    assertEquals(norm, model.head().transform().norm());
  }

  @Test
  void modernBertSeesAllInEveryThirdLayer() {
    Architecture model = FamilyFixtures.describe(MODERN_BERT);
    List<Boolean> windows =
        IntStream.range(0, 7).mapToObj(i -> mixer(model, i).containsKey("window")).toList();
    assertEquals(List.of(false, true, true, false, true, true, false), windows);
    assertEquals(65, mixer(model, 1).get("window"), "64 tokens on either side, and itself");
    assertEquals(160_000.0, ((Map<?, ?>) mixer(model, 0).get("rope")).get("theta"));
    assertEquals(10_000.0, ((Map<?, ?>) mixer(model, 1).get("rope")).get("theta"));
    assertNull(FamilyFixtures.mixer(model, 0).before());
    assertNotNull(FamilyFixtures.mixer(model, 3).before());
  }

  @Test
  void nystromformerHasLandmarksUnlessEveryTokenIsOne() {
    Architecture model = FamilyFixtures.describe(NYSTROMFORMER);
    assertEquals(64, mixer(model, 0).get("landmarks"));
    assertEquals(2, model.embedding().skipped());
    String exact = FamilyFixtures.with(NYSTROMFORMER, "segment_means_seq_len", "64");
    assertEquals(0, mixer(FamilyFixtures.describe(exact), 0).get("landmarks"));
  }

  /** Matrices of the longest text are what the reference cuts off, if it takes matrices. */
  @Test
  void fnetIsFilledUpWhereTheReferenceTakesMatrices() {
    Architecture model = FamilyFixtures.describe(FNET);
    assertEquals(512, mixer(model, 0).get("padded"));
    assertEquals(3, model.layers().getFirst().steps().size(), "projected embeddings come first");
    assertEquals(2, model.layers().get(1).steps().size());
    String fast = FamilyFixtures.with(FNET, "max_position_embeddings", "8192");
    assertEquals(Map.of(), mixer(FamilyFixtures.describe(fast), 0));
  }

  @Test
  void aModelWithoutAHeadGivesRows() {
    String headless = FamilyFixtures.with(BERT, "architectures", "[\"BertModel\"]");
    Architecture model = FamilyFixtures.describe(headless);
    assertNull(model.head());
    assertEquals(model, Architecture.read(Config.parse("a", model.toJson().getBytes())));
    String modern = FamilyFixtures.with(MODERN_BERT, "architectures", "[\"ModernBertModel\"]");
    assertNull(FamilyFixtures.describe(modern).head());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "architectures|[\"BertForSequenceClassification\"]|architectures="
            + "[BertForSequenceClassification]: this head is not supported; supported:"
            + " BertForMaskedLM, BertForPreTraining, BertModel",
        "is_decoder|true|is_decoder=true is not supported; supported: false",
        "position_embedding_type|\"relative_key\"|position_embedding_type=\"relative_key\" is not"
            + " supported; supported: absolute",
        "layer_norm_eps|2|layer_norm_eps=2.0 must be at least 0 and below 1"
      })
  void whatBertCannotBeIsRefused(String key, String value, String message) {
    String changed = FamilyFixtures.with(BERT, key, value);
    var e = assertThrows(ConfigException.class, () -> FamilyFixtures.describe(changed));
    assertEquals("config.json:1: " + message, e.getMessage());
  }
}
