package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;

/**
 * What comes after the last layer.
 *
 * @param norm of the rows, or null
 * @param modulation of what the norm gives, or null
 * @param head null if there is none
 * @param gaussian what the head of a model of noisy vectors knows besides, or null
 */
record BuiltEnd(Normalization norm, Modulation modulation, BuiltHead head, BuiltGaussian gaussian) {

  /** Normalises rows, and tells them the level of the noise. */
  void finish(Pass pass, Batch<?> batch, int[] which, Matrix rows) {
    if (rows.rows() == 0) {
      return;
    }
    normalize(pass, rows);
    if (modulation != null) {
      modulation.end(pass, batch, which, rows);
    }
  }

  void normalize(Pass pass, Matrix rows) {
    if (norm != null && rows.rows() > 0) {
      norm.rows(pass, rows, rows);
    }
  }

  /** As {@link Network#predict}. */
  void predict(Pass pass, Matrix rows, Matrix logits) {
    if (head == null) {
      throw new IllegalStateException("the model has no head: it gives rows, and no logits");
    }
    if (gaussian == null) {
      head.apply(pass, rows, logits);
    } else {
      gaussian.predict(pass, head, rows, logits);
    }
  }
}
