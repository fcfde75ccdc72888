package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.ConfigException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.model.Architecture;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the metadata of DeepSeek-V3.2 and GLM-5 becomes. */
class GgufDeepSeekSparseTest {

  private static final Families FAMILIES = Families.installed();

  private static Architecture describe(String name, Consumer<GgufWriter> more) {
    GgufWriter writer = new GgufWriter();
    writer.text("general.architecture", name);
    Map.ofEntries(
            Map.entry("context_length", 64),
            Map.entry("embedding_length", 32),
            Map.entry("block_count", 6),
            Map.entry("feed_forward_length", 48),
            Map.entry("attention.head_count", 4),
            Map.entry("attention.head_count_kv", 1),
            Map.entry("attention.q_lora_rank", 12),
            Map.entry("attention.kv_lora_rank", 16),
            Map.entry("attention.key_length", 20),
            Map.entry("attention.value_length", 16),
            Map.entry("attention.key_length_mla", 10),
            Map.entry("attention.value_length_mla", 7),
            Map.entry("rope.dimension_count", 4),
            Map.entry("leading_dense_block_count", 2),
            Map.entry("expert_count", 8),
            Map.entry("expert_used_count", 2),
            Map.entry("expert_feed_forward_length", 24),
            Map.entry("expert_shared_count", 1),
            Map.entry("expert_gating_func", 2),
            Map.entry("attention.indexer.head_count", 3),
            Map.entry("attention.indexer.key_length", 8),
            Map.entry("attention.indexer.top_k", 11))
        .forEach((key, value) -> writer.u32(name + "." + key, value));
    writer.f32(name + ".attention.layer_norm_rms_epsilon", 1e-5f);
    writer.f32(name + ".expert_weights_scale", 2.5f);
    more.accept(writer);
    writer.add(
        "token_embd.weight", "F32", List.of(10L, 32L), MemorySegment.ofArray(new byte[1280]));
    Gguf file = Gguf.of("tiny.gguf", MemorySegment.ofArray(writer.toBytes()));
    return FAMILIES.describe(FAMILIES.of(file).config(file));
  }

  private static List<Integer> choices(Architecture model) {
    return IntStream.range(0, model.layers().size())
        .mapToObj(i -> FamilyFixtures.mixer(model, i).wiring().choiceOf())
        .toList();
  }

  private static Object setting(Architecture model, String name) {
    return FamilyFixtures.mixer(model, 0).part().settings().get(name);
  }

  @Test
  void glmSaysWhichLayersHaveAnIndex() {
    Architecture model =
        describe(
            "glm-dsa",
            writer ->
                writer
                    .u32("glm-dsa.nextn_predict_layers", 1)
                    .flags(
                        "glm-dsa.attention.indexer.types", true, true, false, false, true, false));
    assertEquals("glm-moe-dsa", model.family());
    assertEquals(List.of(-1, -1, 1, 1, -1), choices(model));
    assertEquals(
        Map.of("heads", 3, "headDim", 8, "top", 11, "layout", "interleaved"),
        setting(model, "index"));
    assertEquals(6, setting(model, "ownDim"));
    assertEquals(7, setting(model, "valueDim"));
    var e =
        assertThrows(
            ConfigException.class,
            () ->
                describe(
                    "glm-dsa",
                    writer -> writer.flags("glm-dsa.attention.indexer.types", true, true)));
    assertEquals(
        "tiny.gguf: attention.indexer.types must hold a flag for each of 6 layers", e.getMessage());
  }

  @Test
  void deepSeekStretchesAsItsConfigDoes() {
    Architecture model =
        describe(
            "deepseek32",
            writer ->
                writer
                    .text("deepseek32.rope.scaling.type", "yarn")
                    .f32("deepseek32.rope.scaling.factor", 40)
                    .u32("deepseek32.rope.scaling.original_context_length", 16)
                    .f32("deepseek32.rope.scaling.yarn_log_multiplier", 0.1f));
    assertEquals("deepseek-v3.2", model.family());
    assertEquals(List.of(-1, -1, -1, -1, -1, -1), choices(model));
    double m = 0.1 * Math.log(40) + 1;
    assertEquals(m * m / Math.sqrt(10), (double) setting(model, "scale"), 1e-12);
    assertEquals(1.0, ((Map<?, ?>) setting(model, "rope")).get("attentionFactor"));
    assertEquals("halves", ((Map<?, ?>) setting(model, "index")).get("layout"));
  }
}
