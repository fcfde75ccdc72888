package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.apus.core.Model;
import dev.apus.core.Session;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints whose experts lie in tensors of three dimensions have the bits of those apart. */
class FusedExpertsTest {

  private static final int TOKENS = 20;

  @TempDir private Path temporary;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "afmoe",
        "dots1",
        "ernie4_5_moe",
        "flex_olmo",
        "glm4_moe",
        "hunyuan_v1_moe",
        "longcat_flash",
        "olmoe"
      })
  void expertsOfALayerMayBeFused(String family) throws IOException {
    Path apart = TinyCheckpoint.write(temporary.resolve("apart"), family, 5);
    Path fused = Files.createDirectories(temporary.resolve("fused"));
    Files.copy(apart.resolve("config.json"), fused.resolve("config.json"));
    try (TensorFile file = Safetensors.openFolder(apart)) {
      fused(file.tensors()).write(fused.resolve("model.safetensors"));
    }
    float[][] expected = logits(apart);
    float[][] found = logits(fused);
    for (int row = 0; row < TOKENS; row++) {
      assertArrayEquals(expected[row], found[row], "token " + row);
    }
  }

  private static SafetensorsWriter fused(Map<String, StoredTensor> tensors) {
    var writer = new SafetensorsWriter();
    int experts = 0;
    for (StoredTensor t : tensors.values()) {
      if (t.name().endsWith(".experts.0.down_proj.weight")) {
        String prefix = t.name().replace("0.down_proj.weight", "");
        fuse(writer, prefix + "gate_up_proj", tensors, prefix, List.of("gate_proj", "up_proj"));
        fuse(writer, prefix + "down_proj", tensors, prefix, List.of("down_proj"));
        experts++;
      } else if (!t.name().contains(".experts.")) {
        writer.add(t.name(), t.type(), t.shape(), t.data());
      }
    }
    assertFalse(experts == 0, "no layer has experts");
    return writer;
  }

  /** Adds the rows of these matrices of every expert as one tensor. */
  private static void fuse(
      SafetensorsWriter writer,
      String name,
      Map<String, StoredTensor> tensors,
      String prefix,
      List<String> matrices) {
    var bytes = new ByteArrayOutputStream();
    long experts = 0;
    long rows = 0;
    long cols = 0;
    while (tensors.containsKey(prefix + experts + "." + matrices.getFirst() + ".weight")) {
      String expert = prefix + experts + ".";
      rows = 0;
      for (StoredTensor t :
          (Iterable<StoredTensor>)
              matrices.stream().map(m -> tensors.get(expert + m + ".weight"))::iterator) {
        bytes.writeBytes(t.data().toArray(ValueLayout.JAVA_BYTE));
        rows += t.shape().getFirst();
        cols = t.shape().getLast();
      }
      experts++;
    }
    writer.add(
        name, "BF16", List.of(experts, rows, cols), MemorySegment.ofArray(bytes.toByteArray()));
  }

  private static float[][] logits(Path checkpoint) {
    try (Model model = Model.load(checkpoint);
        Session session = model.newSession(TOKENS)) {
      return session.score(TinyModels.tokens(TOKENS, 5));
    }
  }
}
