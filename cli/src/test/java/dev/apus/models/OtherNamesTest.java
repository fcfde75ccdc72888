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
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints under the names that their authors gave them have the bits of the usual ones. */
class OtherNamesTest {

  private static final int TOKENS = 30;

  @TempDir private Path temporary;

  /** The config says what differs from the defaults, and how many tokens there are. */
  @Test
  void mambaOfItsAuthors() throws IOException {
    Path converted = TinyCheckpoint.write(temporary.resolve("converted"), "mamba", 11);
    Config config = Config.read(converted.resolve("config.json"));
    String json =
        """
        {"d_model": %d, "n_layer": %d, "vocab_size": %d, "rms_norm": true,
         "ssm_cfg": {"layer": "Mamba1", "d_state": %d}, "residual_in_fp32": true,
         "fused_add_norm": true, "pad_vocab_size_multiple": 16, "tie_embeddings": true}
        """
            .formatted(
                config.positive("hidden_size"),
                config.positive("num_hidden_layers"),
                config.positive("vocab_size") - 5,
                config.positive("state_size"));
    assertSame(converted, json, name -> name.replace("embeddings", "embedding"));
  }

  @Test
  void theFirstJamba() throws IOException {
    Path converted = TinyCheckpoint.write(temporary.resolve("converted"), "jamba", 11);
    String json = Files.readString(converted.resolve("config.json"));
    assertSame(
        converted,
        json.replace("max_position_embeddings", "n_ctx"),
        name ->
            name.replace("b_layernorm", "B_layernorm")
                .replace("c_layernorm", "C_layernorm")
                .replace("pre_ff_layernorm", "pre_moe_layernorm")
                .replaceAll("feed_forward\\.(router|experts)", "moe.$1")
                .replace("feed_forward", "moe.experts.0"));
  }

  /** The matrices of low ranks are stored the other way round. */
  @Test
  void rwkv7OfItsAuthor() throws IOException {
    Path converted = TinyCheckpoint.write(temporary.resolve("converted"), "fla-rwkv7", 11);
    Config config = Config.read(converted.resolve("config.json"));
    String json =
        """
        {"my_testing": "x070", "n_layer": %d, "n_embd": %d, "vocab_size": %d, "head_size": %d,
         "D_DECAY_LORA": %d, "D_AAA_LORA": %d, "D_MV_LORA": %d, "D_GATE_LORA": %d}
        """
            .formatted(
                config.positive("num_hidden_layers"),
                config.positive("hidden_size"),
                config.positive("vocab_size"),
                config.positive("head_dim"),
                config.positive("decay_low_rank_dim"),
                config.positive("a_low_rank_dim"),
                config.positive("v_low_rank_dim"),
                config.positive("gate_low_rank_dim"));
    assertSame(
        converted,
        json,
        name ->
            name.replace("model.embeddings", "emb")
                .replace("lm_head", "head")
                .replace("model.norm", "ln_out")
                .replace("model.layers", "blocks")
                .replace("pre_norm", "ln0")
                .replace("attn_norm", "ln1")
                .replace("ffn_norm", "ln2")
                .replace("g_norm", "ln_x")
                .replace("r_proj", "receptance")
                .replace("k_proj", "key")
                .replace("v_proj", "value")
                .replace("o_proj", "output")
                .replace("_lora.lora.0.weight", "1")
                .replace("_lora.lora.2.weight", "2")
                .replace("_lora.lora.2.bias", "0")
                .replace(".attn.", ".att."),
        name -> name.matches(".*\\.[wavg][12]"));
  }

  /** The language model of a checkpoint that sees and hears, in the hub's spelling. */
  @Test
  void gemma4AmongOtherSenses() throws IOException {
    Path converted = TinyCheckpoint.write(temporary.resolve("converted"), "gemma4-shared", 11);
    String text =
        Files.readString(converted.resolve("config.json"))
            .replaceFirst(
                "\"per_layer_config\": \\{(\\s*\"\\d\": \\{[^}]*},?)+\\s*}",
                "\"global_head_dim\": 32, \"num_global_key_value_heads\": 1");
    String json =
        """
        {"architectures": ["Gemma4ForConditionalGeneration"], "model_type": "gemma4",
         "audio_config": {"hidden_size": 8}, "vision_config": {"hidden_size": 8},
         "image_token_id": 5, "audio_token_id": 6, "text_config": %s}
        """
            .formatted(text);
    assertSame(converted, json, name -> name.replace("model.", "model.language_model."));
  }

  /** Matrices that read the same rows are one tensor, one after the other. */
  @Test
  void xlstmOfFewerMatrices() throws IOException {
    Path single = TinyCheckpoint.write(temporary.resolve("single"), "xlstm", 11);
    String json = Files.readString(single.resolve("config.json"));
    Path fused = Files.createDirectories(temporary.resolve("fused"));
    Files.writeString(fused.resolve("config.json"), json.replace("\"single\"", "\"fused\""), UTF_8);
    List<List<String>> joined =
        List.of(
            List.of("qkv_opreact", "q", "k", "v", "ogate_preact"),
            List.of("ifgate_preact", "igate_preact", "fgate_preact"),
            List.of("proj_up_gate_z", "proj_up_gate", "proj_up"));
    var writer = new SafetensorsWriter();
    try (TensorFile tensors = Safetensors.openFolder(single)) {
      for (StoredTensor t : tensors.tensors().values()) {
        String[] name = t.name().split("\\.");
        String last = name[name.length - 2];
        List<String> parts =
            joined.stream()
                .filter(j -> j.indexOf(last) > 0)
                .findFirst()
                .orElse(List.of(last, last));
        if (parts.get(1).equals(last)) {
          UnaryOperator<String> renamed = p -> t.name().replace("." + last + ".", "." + p + ".");
          List<StoredTensor> all =
              parts.subList(1, parts.size()).stream()
                  .map(p -> tensors.tensors().get(renamed.apply(p)))
                  .toList();
          add(writer, renamed.apply(parts.getFirst()), all);
        }
      }
      writer.write(fused.resolve("model.safetensors"));
    }
    assertSame(logits(single), logits(fused));
  }

  /** Older files have the shares of all shifted rows in one tensor. */
  @Test
  void theFirstRwkv7() throws IOException {
    Path newer = TinyCheckpoint.write(temporary.resolve("newer"), "fla-rwkv7", 11);
    Path older = Files.createDirectories(temporary.resolve("older"));
    Files.copy(newer.resolve("config.json"), older.resolve("config.json"));
    var writer = new SafetensorsWriter();
    try (TensorFile tensors = Safetensors.openFolder(newer)) {
      for (StoredTensor t : tensors.tensors().values()) {
        if (t.name().endsWith("attn.x_r")) {
          String prefix = t.name().substring(0, t.name().length() - 1);
          List<StoredTensor> all =
              Stream.of("r", "w", "k", "v", "a", "g")
                  .map(letter -> tensors.tensors().get(prefix + letter))
                  .toList();
          add(writer, prefix + "x", all);
        } else if (!t.name().contains("attn.x_")) {
          writer.add(t.name(), t.type(), t.shape(), t.data());
        }
      }
      writer.write(older.resolve("model.safetensors"));
    }
    assertSame(logits(newer), logits(older));
  }

  /** Adds the rows of some tensors as one. */
  private static void add(SafetensorsWriter writer, String name, List<StoredTensor> parts) {
    var bytes = new ByteArrayOutputStream();
    long rows = 0;
    for (StoredTensor part : parts) {
      bytes.writeBytes(part.data().toArray(ValueLayout.JAVA_BYTE));
      rows += part.shape().getFirst();
    }
    List<Long> shape = new ArrayList<>(parts.getFirst().shape());
    shape.set(0, rows);
    writer.add(name, parts.getFirst().type(), shape, MemorySegment.ofArray(bytes.toByteArray()));
  }

  private void assertSame(Path converted, String json, UnaryOperator<String> names)
      throws IOException {
    assertSame(converted, json, names, name -> false);
  }

  /**
   * @param turned whether a matrix of this other name is stored with its rows as columns
   */
  private void assertSame(
      Path converted, String json, UnaryOperator<String> names, Predicate<String> turned)
      throws IOException {
    Path folder = Files.createDirectories(temporary.resolve("original"));
    Files.writeString(folder.resolve("config.json"), json, UTF_8);
    var writer = new SafetensorsWriter();
    try (TensorFile tensors = Safetensors.openFolder(converted)) {
      for (StoredTensor t : tensors.tensors().values()) {
        String name = names.apply(t.name());
        boolean turn = turned.test(name);
        List<Long> shape = turn ? t.shape().reversed() : t.shape();
        writer.add(name, t.type(), shape, turn ? turned(t) : t.data());
      }
      writer.write(folder.resolve("model.safetensors"));
    }
    assertSame(logits(converted), logits(folder));
  }

  private static void assertSame(float[][] expected, float[][] found) {
    for (int row = 0; row < TOKENS; row++) {
      assertArrayEquals(expected[row], found[row], "token " + row);
    }
  }

  /** A matrix of values of two bytes with its rows as columns. */
  private static MemorySegment turned(StoredTensor t) {
    int rows = Math.toIntExact(t.shape().getFirst());
    int cols = Math.toIntExact(t.shape().getLast());
    MemorySegment to = MemorySegment.ofArray(new byte[2 * rows * cols]);
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < cols; col++) {
        MemorySegment.copy(t.data(), 2L * (row * cols + col), to, 2L * (col * rows + row), 2);
      }
    }
    return to;
  }

  private static float[][] logits(Path checkpoint) {
    try (Model model = Model.load(checkpoint);
        Session session = model.newSession(TOKENS)) {
      return session.score(TinyModels.tokens(TOKENS, 5));
    }
  }
}
