package dev.apus.models;

import dev.apus.core.Evaluator;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Network;
import dev.apus.core.model.NoisyRows;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceState;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.models.TinyModels.Tiny;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** A text with noise in its vectors, as a small model of such texts sees it. */
final class TinyVectors {

  /** Families whose noise is in vectors. */
  static final List<String> FAMILIES = List.of("plaid");

  private TinyVectors() {}

  /**
   * The rows of vectors without noise, of which the model is told that they have some.
   *
   * @param tokens those of the text, and as many that the model expects there
   */
  static Matrix rows(Evaluator text, int[] tokens) {
    int length = tokens.length / 2;
    int width = text.model().architecture().diffusion().gaussian().width();
    Matrix vectors = Matrix.zeros(length, width);
    Matrix expected = Matrix.zeros(length, width);
    for (int i = 0; i < length; i++) {
      text.vector(tokens[i], vectors.data(), vectors.at(i));
      text.vector(tokens[length + i], expected.data(), expected.at(i));
    }
    text.setLevel(text.model().noiseSchedule().at(0.3));
    return text.denoise(vectors, expected, () -> false);
  }

  /** The logits of each token at some time, when the model expects something of all. */
  static float[][] logits(Tiny tiny, SequenceState state, int[] tokens) {
    Network network = tiny.network();
    int width = network.architecture().diffusion().gaussian().width();
    int vocabulary = network.architecture().vocabulary();
    Matrix vectors = Matrix.zeros(tokens.length, width);
    Matrix expected = Matrix.zeros(tokens.length, width);
    var random = new SplittableRandom(3);
    double[] weights = new double[vocabulary];
    for (int i = 0; i < tokens.length; i++) {
      network.vector(tokens[i], vectors.data(), vectors.at(i));
      for (int j = 0; j < width; j++) {
        vectors.data()[vectors.at(i) + j] += (float) random.nextDouble(-0.5, 0.5);
      }
      weights[tokens[i]] += i + 1;
      network.expect(tiny.pass(), 0, weights, expected.data(), expected.at(i));
    }
    double level = network.noiseSchedule().at(0.37);
    var run = new Run<>(state, 0, tokens.length, 0, Visibility.BIDIRECTIONAL).atLevel(level);
    Matrix rows = Matrix.zeros(tokens.length, network.architecture().width() + width);
    network.evaluate(
        tiny.pass(),
        new Batch<>(List.of(run)),
        new NoisyRows(null, vectors, expected),
        IntStream.range(0, tokens.length).toArray(),
        rows,
        () -> false);
    Matrix logits = Matrix.zeros(tokens.length, vocabulary);
    network.predict(tiny.pass(), rows, logits);
    return IntStream.range(0, tokens.length)
        .mapToObj(i -> Arrays.copyOfRange(logits.data(), logits.at(i), logits.at(i + 1)))
        .toArray(float[][]::new);
  }
}
