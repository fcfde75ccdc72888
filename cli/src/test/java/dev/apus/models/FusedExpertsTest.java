package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.Session;
import dev.apus.core.config.Config;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A checkpoint whose experts were fused, as newer programs write them, is the model that it was.
 */
class FusedExpertsTest {

  private static final Pattern OF_EXPERT =
      Pattern.compile("(.*\\.experts)\\.(\\d+)\\.(w1|w2|w3|(gate|up|down)_proj)\\.weight");

  @TempDir private Path folder;

  /**
   * @param renamed pairs of what becomes what in names, joined by {@code >}
   */
  @ParameterizedTest
  @CsvSource({
    "afmoe, ''",
    "deepseek_v2, ''",
    "deepseek_v3, ''",
    "deepseek_v32, ''",
    "dots1, ''",
    "ernie4_5_moe, .moe_statics.>.gate.moe_statics.",
    "flex_olmo, ''",
    "glm4_moe, ''",
    "glm_moe_dsa-shared, ''",
    "granitemoe, '.input_linear.weight>.experts.gate_up_proj"
        + " .output_linear.weight>.experts.down_proj .router.layer.>.router.'",
    "granitemoeshared, 'moe.input_linear.weight>moe.experts.gate_up_proj"
        + " moe.output_linear.weight>moe.experts.down_proj .router.layer.>.router.'",
    "granitemoehybrid, 'moe.input_linear.weight>moe.experts.gate_up_proj"
        + " moe.output_linear.weight>moe.experts.down_proj .router.layer.>.router.'",
    "hunyuan_v1_moe, ''",
    "jamba, ''",
    "lfm2_moe, ''",
    "longcat_flash, ''",
    "minimax, .block_sparse_moe.>.mlp.",
    "minimax_m2, .block_sparse_moe.>.mlp.",
    "mixtral, .block_sparse_moe.>.mlp.",
    "nemotron_h, backbone.>model.",
    "olmoe, ''",
    "phimoe, '.block_sparse_moe.>.mlp. .gate.weight>.router.weight'",
    "qwen2_moe, ''",
    "qwen3_5_moe, ''",
    "qwen3_moe, ''",
    "qwen3_next, ''",
  })
  void giveTheSameBits(String family, String renamed) throws IOException {
    Path config = Path.of("src/test/resources/configs/" + family + ".json");
    Path apart = folder.resolve("apart");
    RandomCheckpoint.of(Config.read(config), ModelOptions.standard())
        .writeFolder(apart, WeightFormat.F32, 7);
    Path fused = Files.createDirectories(folder.resolve("fused"));
    Files.copy(apart.resolve("config.json"), fused.resolve("config.json"));
    try (TensorFile tensors = Safetensors.openFolder(apart);
        Arena arena = Arena.ofShared()) {
      SafetensorsWriter writer = new SafetensorsWriter();
      for (StoredTensor tensor : fused(tensors, arena)) {
        String name = tensor.name();
        for (String pair : renamed.isEmpty() ? new String[0] : renamed.split(" ")) {
          name = name.replace(pair.split(">")[0], pair.split(">")[1]);
        }
        writer.add(name, tensor.type(), tensor.shape(), tensor.data());
      }
      writer.write(fused.resolve("model.safetensors"));
      assertTrue(
          Safetensors.openFolder(fused).tensors().keySet().stream()
              .noneMatch(name -> OF_EXPERT.matcher(name).matches()));
    }
    try (Model expected = Model.load(apart);
        Model found = Model.load(fused)) {
      assertArrayEquals(logits(expected), logits(found));
    }
  }

  private static float[] logits(Model model) {
    try (Session session = model.newSession(TinyModels.LIMIT)) {
      session.append(TinyModels.tokens(9, 2));
      return session.logits().clone();
    }
  }

  /** The tensors, with those of all experts of a layer stacked, gates before values. */
  private static List<StoredTensor> fused(TensorFile file, Arena arena) {
    List<StoredTensor> all = new ArrayList<>();
    Map<String, Map<Integer, Map<String, StoredTensor>>> layers = new LinkedHashMap<>();
    for (StoredTensor tensor : file.tensors().values()) {
      Matcher of = OF_EXPERT.matcher(tensor.name());
      if (of.matches()) {
        String part =
            switch (of.group(3)) {
              case "w1", "gate_proj" -> "gate";
              case "w2", "down_proj" -> "down";
              default -> "up";
            };
        layers
            .computeIfAbsent(of.group(1), key -> new LinkedHashMap<>())
            .computeIfAbsent(Integer.valueOf(of.group(2)), key -> new LinkedHashMap<>())
            .put(part, tensor);
      } else {
        all.add(tensor);
      }
    }
    layers.forEach(
        (name, experts) -> {
          boolean gated = experts.get(0).containsKey("gate");
          List<String> inner = gated ? List.of("gate", "up") : List.of("up");
          all.add(stacked(name + (gated ? ".gate_up_proj" : ".up_proj"), experts, inner, arena));
          all.add(stacked(name + ".down_proj", experts, List.of("down"), arena));
        });
    return all;
  }

  private static StoredTensor stacked(
      String name,
      Map<Integer, Map<String, StoredTensor>> experts,
      List<String> parts,
      Arena arena) {
    StoredTensor first = experts.get(0).get(parts.getFirst());
    long bytes = first.data().byteSize();
    MemorySegment data = arena.allocate(bytes * parts.size() * experts.size(), 64);
    long at = 0;
    for (int expert = 0; expert < experts.size(); expert++) {
      for (String part : parts) {
        MemorySegment.copy(experts.get(expert).get(part).data(), 0, data, at, bytes);
        at += bytes;
      }
    }
    List<Long> shape =
        List.of(
            (long) experts.size(),
            parts.size() * first.shape().getFirst(),
            first.shape().getLast());
    return new StoredTensor(name, name, first.type(), shape, data);
  }
}
