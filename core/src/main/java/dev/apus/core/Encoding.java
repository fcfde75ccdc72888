package dev.apus.core;

import dev.apus.core.tensor.Matrix;
import java.util.Arrays;
import java.util.Locale;

/**
 * What an encoder has made of a text: a row of {@code width} values for each token, after the
 * model's last norm. Immutable.
 */
public final class Encoding {

  private final Encoder encoder;
  private final Matrix rows;

  Encoding(Encoder encoder, Matrix rows) {
    this.encoder = encoder;
    this.rows = rows;
  }

  /** How many tokens the text has. */
  public int length() {
    return rows.rows();
  }

  /** Values of a row. */
  public int width() {
    return rows.cols();
  }

  /**
   * The row of a token.
   *
   * @throws IllegalArgumentException if the text has no such token
   */
  public float[] row(int token) {
    requireToken(token);
    return Arrays.copyOfRange(rows.data(), rows.at(token), rows.at(token + 1));
  }

  /** The row of the first token, which many models are trained to sum a text up in. */
  public float[] first() {
    return row(0);
  }

  /** The mean of all rows, those of the tokens around the text included. */
  public float[] mean() {
    float[] mean = new float[width()];
    for (int i = 0; i < mean.length; i++) {
      double sum = 0;
      for (int token = 0; token < length(); token++) {
        sum += rows.data()[rows.at(token) + i];
      }
      mean[i] = (float) (sum / length());
    }
    return mean;
  }

  /**
   * What the model expects in the place of some tokens, each a row of {@code vocabulary} logits.
   *
   * @throws IllegalArgumentException if the text has no such token
   * @throws IllegalStateException if the model has no head, or is closed
   */
  public float[][] logits(int... tokens) {
    Matrix some = Matrix.zeros(tokens.length, width());
    for (int i = 0; i < tokens.length; i++) {
      requireToken(tokens[i]);
      System.arraycopy(rows.data(), rows.at(tokens[i]), some.data(), some.at(i), width());
    }
    Matrix logits = encoder.logits(some);
    float[][] result = new float[tokens.length][];
    Arrays.setAll(result, i -> Arrays.copyOfRange(logits.data(), logits.at(i), logits.at(i + 1)));
    return result;
  }

  private void requireToken(int token) {
    if (token < 0 || token >= length()) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "token %d of a text of %d tokens", token, length()));
    }
  }
}
