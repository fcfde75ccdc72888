package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A step whose branches have been built.
 *
 * @param hyper what joins the step to several residual streams, or null where there is one
 * @param residual norm of the residual stream before anything is added to it, or null
 * @param keep factor on what the stream is then
 * @param sum norm of the residual stream after everything was added to it, or null
 * @param noisySum the same for the rows of a canvas; {@code sum} where it is no other
 */
record BuiltStep(
    List<BuiltBranch> branches,
    HyperConnection hyper,
    Normalization residual,
    float keep,
    Normalization sum,
    Normalization noisySum) {

  /**
   * All branches read before any of them writes; what they give is added in their order.
   *
   * @param residuals all residual streams where there are several: the stream of the branches holds
   *     first what the step reads of them, and then what it gives
   */
  void advance(Pass pass, Batch<SequenceState> batch, Matrix[] streams, Matrix residuals) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix x = streams[Streams.RESIDUAL];
      Matrix weights = hyper == null ? null : frame.matrix(x.rows(), hyper.cols());
      if (hyper != null) {
        hyper.read(pass, residuals, weights, x);
      }
      List<Matrix> outputs = new ArrayList<>(branches.size());
      for (BuiltBranch branch : branches) {
        outputs.add(branch.forward(pass, frame, batch, streams));
      }
      if (hyper != null) {
        Arrays.fill(x.data(), 0, x.at(x.rows()), 0);
      }
      if (residual != null) {
        residual.rows(pass, x, x);
      }
      if (keep != 1) {
        scale(pass, x);
      }
      for (int i = 0; i < outputs.size(); i++) {
        branches.get(i).write(pass, outputs.get(i), streams);
      }
      Normalization last = batch.isTogether() ? noisySum : sum;
      if (last != null) {
        last.rows(pass, x, x);
      }
      if (hyper != null) {
        hyper.write(pass, weights, x, residuals);
      }
    }
  }

  private void scale(Pass pass, Matrix x) {
    pass.eachRow(
        x.rows(),
        x.cols(),
        (from, to, worker) -> {
          for (int i = x.at(from); i < x.at(to); i++) {
            x.data()[i] *= keep;
          }
        });
  }
}
