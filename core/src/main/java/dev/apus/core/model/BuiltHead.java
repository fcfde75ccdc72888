package dev.apus.core.model;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.matmul.Matmul;
import java.util.Locale;

/**
 * What makes logits of rows.
 *
 * @param dense the matrix of the transform before the logits, or null
 * @param norm of what the transform gives, or null
 */
record BuiltHead(
    Head spec, Projection matrix, Projection dense, Activation activation, Normalization norm) {

  /** What scaling and capping a logit costs, in multiply-adds. */
  private static final int BENDING = 16;

  /**
   * @param tied the embedding where it serves as the head, or null
   */
  static BuiltHead of(Head spec, Projection tied, int vocabulary, int width, WeightScope root) {
    Projection matrix =
        tied == null ? root.projection("head", vocabulary, width, spec.biased()) : tied;
    Transform transform = spec.transform();
    if (transform == null) {
      return new BuiltHead(spec, matrix, null, null, null);
    }
    return new BuiltHead(
        spec,
        matrix,
        root.projection("head.transform", width, width, transform.biased()),
        Activation.valueOf(transform.activation().toUpperCase(Locale.ROOT).replace('-', '_')),
        Normalization.of(transform.norm(), "head.norm", width, root));
  }

  /** Writes a row of logits for each row, which is left as it is. */
  void apply(Pass pass, Matrix x, Matrix logits) {
    if (dense == null) {
      pass.run(logits(pass, x, logits));
    } else {
      try (Pass.Frame frame = pass.frame()) {
        Matrix inner = frame.matrix(x.rows(), x.cols());
        transform(pass, x, inner);
        pass.run(logits(pass, inner, logits));
      }
    }
  }

  private Divisible logits(Pass pass, Matrix x, Matrix logits) {
    Divisible linear = matrix.task(pass, x, logits);
    return spec.scale() == 1 && spec.softcap() == 0
        ? linear
        : linear.then(
            (long) BENDING * Matmul.PANEL_ROWS * x.rows(),
            matrix.ofOutputs((from, to, worker) -> bend(pass, logits, from, to)));
  }

  private void transform(Pass pass, Matrix x, Matrix inner) {
    dense.apply(pass, x, inner);
    int cols = inner.cols();
    pass.eachRow(
        inner.rows(),
        4 * cols,
        (from, to, worker) ->
            pass.kernels()
                .activations()
                .apply(activation, inner.data(), from * cols, (to - from) * cols));
    if (norm != null) {
      norm.rows(pass, inner, inner);
    }
  }

  /** Scales and caps columns {@code [from, to)}. */
  private void bend(Pass pass, Matrix logits, int from, int to) {
    for (int row = 0; row < logits.rows(); row++) {
      int at = logits.at(row);
      if (spec.scale() != 1) {
        for (int i = at + from; i < at + to; i++) {
          logits.data()[i] *= spec.scale();
        }
      }
      if (spec.softcap() != 0) {
        pass.kernels().activations().softcap(spec.softcap(), logits.data(), at + from, to - from);
      }
    }
  }
}
