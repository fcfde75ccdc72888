package dev.apus.models;

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
import java.util.stream.IntStream;

/** A text with a canvas at its end, as a small model of such texts sees it. */
final class TinyCanvas {

  private TinyCanvas() {}

  /**
   * The logits after each token of the text, and of the canvas.
   *
   * @param canvas tokens of the canvas, at the end
   */
  static float[][] logits(Tiny tiny, SequenceState state, int[] tokens, int canvas) {
    Network network = tiny.network();
    int from = tokens.length - canvas;
    int width = network.architecture().width();
    int vocabulary = network.architecture().vocabulary();
    int[] text = Arrays.copyOf(tokens, from);
    Matrix first = Matrix.zeros(from, vocabulary);
    network.forward(
        tiny.pass(),
        Batch.of(state, from, 0),
        text,
        IntStream.range(0, from).toArray(),
        first,
        () -> false);
    int[] noisy = Arrays.copyOfRange(tokens, from, tokens.length);
    Matrix expected = Matrix.zeros(canvas, width);
    Matrix rows = Matrix.zeros(canvas, width);
    double[] weights = new double[vocabulary];
    for (int i = 0; i < canvas; i++) {
      weights[noisy[i]] += i + 1;
      network.expect(tiny.pass(), 0, weights, expected.data(), expected.at(i));
    }
    var batch = new Batch<>(List.of(new Run<>(state, 0, canvas, from, Visibility.TOGETHER)));
    int[] wanted = IntStream.range(0, canvas).toArray();
    network.evaluate(
        tiny.pass(), batch, new NoisyRows(noisy, null, expected), wanted, rows, () -> false);
    Matrix second = Matrix.zeros(canvas, vocabulary);
    network.predict(tiny.pass(), rows, second);
    float[][] all = new float[tokens.length][];
    for (int i = 0; i < tokens.length; i++) {
      Matrix logits = i < from ? first : second;
      int row = i < from ? i : i - from;
      all[i] = Arrays.copyOfRange(logits.data(), logits.at(row), logits.at(row + 1));
    }
    return all;
  }
}
