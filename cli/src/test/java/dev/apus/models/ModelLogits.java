package dev.apus.models;

import dev.apus.core.Evaluator;
import dev.apus.core.Model;
import dev.apus.core.Session;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Logits of a model of any kind for a text of its own, by which two models are compared. */
final class ModelLogits {

  /** How long the text is. */
  static final int TOKENS = 20;

  private ModelLogits() {}

  static float[][] of(Path checkpoint) {
    try (Model model = Model.load(checkpoint)) {
      return of(model);
    }
  }

  static float[][] of(Model model) {
    if (model.architecture().isEncoder()) {
      return model.newEncoder().encode(TinyModels.tokens(TOKENS, 5)).logits(0, 1, TOKENS - 1);
    }
    if (model.architecture().diffusion() != null) {
      return noisy(model);
    }
    try (Session session = model.newSession(TOKENS)) {
      return session.score(TinyModels.tokens(TOKENS, 5));
    }
  }

  private static float[][] noisy(Model model) {
    try (Evaluator text = Evaluator.of(model, TOKENS)) {
      float[][] logits = new float[TOKENS][];
      int[] all = IntStream.range(0, TOKENS).toArray();
      int vocabulary = model.architecture().vocabulary();
      text.logits(
          model.architecture().diffusion().gaussian() == null
              ? text.read(TinyModels.tokens(TOKENS, 5), all, () -> false)
              : TinyVectors.rows(text, TinyModels.tokens(2 * TOKENS, 5)),
          (row, worker, values, at) ->
              logits[row] = Arrays.copyOfRange(values, at, at + vocabulary));
      return logits;
    }
  }
}
