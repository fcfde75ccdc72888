package dev.apus.models;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.apus.core.config.Config;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Configs of every family that has GGUF files, with those of their settings that files can say. */
final class SayableConfigs {

  private static final Map<String, String> configs = new LinkedHashMap<>();

  static {
    GgufModelsTest.written.forEach(family -> put(family));
    put("afmoe");
    put("dbrx");
    put("ernie4_5_moe", ",\\s*\"(moe_norm_min|num_nextn_predict_layers)\": [0-9.]+", "");
    put(
        "hunyuan_v1_moe",
        "(?s)\"rope_scaling\": [^}]*},",
        "",
        "(?s)(\"(moe_topk|num_shared_expert)\": )\\[[^]]*\\]",
        "$12");
    put("dots1");
    put("glm4_moe");
    put("deepseek_v32");
    put("glm_moe_dsa-shared");
    put("kimi_linear");
    put("qwen3_next");
    put("qwen3_5", "(\"linear_num_key_heads\": )2", "$14");
    put("qwen3_5_moe", "(\"linear_num_key_heads\": )2", "$14");
    put("mamba2", "\"n_groups\": 2", "$0, \"gated_norm_over\": \"group\"");
    put("bamba");
    put("granitemoehybrid");
    put("granite4-dense");
    configs.put("falcon_h1", GgufMamba2Test.plainFalcon());
    configs.put("nemotron_h", GgufMamba2Test.nemotron("\"moe\"", "\"mlp\""));
    configs.put(
        "nemotron_h-moe",
        GgufMamba2Test.nemotron("\"mlp\"", "\"moe\"").replace("size\": null", "size\": 24"));
    put("dream");
    put("llada");
    put("lladamoe");
  }

  private SayableConfigs() {}

  private static void put(String family, String... changes) {
    configs.put(family, changed(family, changes));
  }

  /** A family's config, in which expressions are replaced. */
  static String changed(String family, String... changes) {
    String json = new String(TinyModels.resource("/configs/" + family + ".json"), UTF_8);
    for (int i = 0; i < changes.length; i += 2) {
      json = json.replaceAll(changes[i], changes[i + 1]);
    }
    return json;
  }

  static Set<String> families() {
    return configs.keySet();
  }

  /** One of these configs, or that of another family as it is. */
  static Config of(String family) {
    String json = configs.containsKey(family) ? configs.get(family) : changed(family);
    return Config.parse(family + ".json", json.getBytes(UTF_8));
  }
}
