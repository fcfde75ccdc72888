package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.generate.Generation;
import dev.apus.core.generate.Sampling;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Expected answers of a checkpoint, made by Apus itself: tokens, all logits, a continuation. */
final class Answers {

  private static final int[] TOKENS = {388, 2563, 312, 495, 1433};
  private static final int CONTINUED = 4;

  private final float[][] logits;
  private final int[] greedy;

  private Answers(float[][] logits, int[] greedy) {
    this.logits = logits;
    this.greedy = greedy;
  }

  /** What a checkpoint answers. */
  static Answers of(Path folder) {
    try (Model model = Model.load(folder, ModelOptions.standard().withThreads(1));
        Session session = model.newSession(TOKENS.length + CONTINUED)) {
      float[][] logits = session.score(TOKENS);
      Generation generation = session.start(new int[0], Sampling.greedy().withMaxTokens(CONTINUED));
      int[] greedy = new int[CONTINUED];
      for (int i = 0; i < greedy.length; i++) {
        greedy[i] = generation.next().id();
      }
      return new Answers(logits, greedy);
    }
  }

  /** Puts a checkpoint's own answers beside it. */
  static Path write(Path folder) throws IOException {
    of(folder).writeTo(folder);
    return folder;
  }

  Answers withLogit(int position, int token, float difference) {
    logits[position][token] += difference;
    return this;
  }

  /** With another token at a step of the continuation. */
  Answers withGreedy(int step) {
    greedy[step] = greedy[step] == 7 ? 8 : 7;
    return this;
  }

  void writeTo(Path folder) throws IOException {
    int[] positions = {0, 1, 2, 3, 4};
    new SafetensorsWriter()
        .add("input_ids", "I32", List.of(1L, (long) TOKENS.length), ints(TOKENS))
        .add("positions", "I32", List.of((long) positions.length), ints(positions))
        .add("logits", "F32", List.of((long) logits.length, (long) logits[0].length), floats())
        .write(folder.resolve("expected.safetensors"));
    Files.writeString(
        folder.resolve("expected.json"),
        """
        {"logits_std": 1, "prompt_length": %d, "greedy": %s, "greedy_margins": [1, 1, 1, 1]}
        """
            .formatted(TOKENS.length, Arrays.toString(greedy)));
  }

  private static MemorySegment ints(int[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    return MemorySegment.ofArray(bytes.array());
  }

  private MemorySegment floats() {
    ByteBuffer bytes =
        ByteBuffer.allocate(4 * logits.length * logits[0].length).order(ByteOrder.LITTLE_ENDIAN);
    for (float[] row : logits) {
      for (float logit : row) {
        bytes.putFloat(logit);
      }
    }
    return MemorySegment.ofArray(bytes.array());
  }
}
