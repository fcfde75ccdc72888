package dev.apus.models;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.apus.core.Model;
import dev.apus.core.Session;
import dev.apus.core.config.Config;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint of Mamba's authors gives the same bits as the one that it was converted to. */
class OriginalMambaTest {

  private static final int TOKENS = 30;

  @TempDir private Path temporary;

  @Test
  void theLogitsHaveTheSameBits() throws IOException {
    Path converted = TinyCheckpoint.write(temporary.resolve("converted"), "mamba", 11);
    Path original = original(converted, temporary.resolve("original"));
    float[][] expected = logits(converted);
    float[][] found = logits(original);
    for (int row = 0; row < TOKENS; row++) {
      assertArrayEquals(expected[row], found[row], "token " + row);
    }
  }

  /** The config says what differs from the defaults, and how many tokens there are. */
  private static Path original(Path converted, Path folder) throws IOException {
    Config config = Config.read(converted.resolve("config.json"));
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"d_model": %d, "n_layer": %d, "vocab_size": %d, "rms_norm": true,
         "ssm_cfg": {"layer": "Mamba1", "d_state": %d}, "residual_in_fp32": true,
         "fused_add_norm": true, "pad_vocab_size_multiple": 16, "tie_embeddings": true}
        """
            .formatted(
                config.positive("hidden_size"),
                config.positive("num_hidden_layers"),
                config.positive("vocab_size") - 5,
                config.positive("state_size")),
        UTF_8);
    var writer = new SafetensorsWriter();
    try (TensorFile tensors = Safetensors.openFolder(converted)) {
      for (StoredTensor t : tensors.tensors().values()) {
        String name = t.name().replace("embeddings", "embedding");
        writer.add(name, t.type(), t.shape(), t.data());
      }
      writer.write(folder.resolve("model.safetensors"));
    }
    return folder;
  }

  private static float[][] logits(Path checkpoint) {
    try (Model model = Model.load(checkpoint);
        Session session = model.newSession(TOKENS)) {
      return session.score(TinyModels.tokens(TOKENS, 5));
    }
  }
}
