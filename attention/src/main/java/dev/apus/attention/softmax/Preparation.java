package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.attention.softmax.AttentionSpec.NormOver;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Normalization;
import dev.apus.core.tensor.Matrix;

/**
 * What is done to queries and keys between their matrices and their products.
 *
 * @param queryNorm null for none
 * @param keyNorm null for none
 * @param farPosition where queries of far visits stand at most
 */
record Preparation(
    AttentionSpec spec, Normalization queryNorm, Normalization keyNorm, int farPosition) {

  /**
   * Normalises and turns queries and keys, and scales queries.
   *
   * @param far receives the queries as they are turned for far visits, unless it is {@code q}
   * @param k null where the keys are another layer's
   */
  void apply(Pass pass, Batch<KeyValueCache> batch, Matrix q, Matrix far, Matrix k) {
    if (!spec.normAfterRope()) {
      normalize(pass, queryNorm, spec.heads(), q);
      normalize(pass, keyNorm, spec.kvHeads(), k);
    }
    clip(pass, q);
    clip(pass, k);
    if (spec.rope() != null) {
      if (far != q) {
        System.arraycopy(q.data(), 0, far.data(), 0, q.rows() * q.cols());
        Rope.turnAtMost(pass, batch, KeyValueCache::rope, far, spec.headDim(), farPosition);
      }
      Rope.turn(pass, batch, KeyValueCache::rope, q, k, spec.headDim());
    }
    if (spec.normAfterRope()) {
      normalize(pass, queryNorm, spec.heads(), q);
      normalize(pass, keyNorm, spec.kvHeads(), k);
      if (far != q) {
        normalize(pass, queryNorm, spec.heads(), far);
      }
    }
    if (spec.temperature() != null) {
      spec.temperature().apply(pass, batch, q);
      if (far != q) {
        spec.temperature().apply(pass, batch, far);
      }
    }
  }

  /** Clips the values of rows, if there is a limit. */
  void clip(Pass pass, Matrix x) {
    if (spec.clip() == 0 || x == null) {
      return;
    }
    float most = spec.clip();
    pass.eachRow(
        x.rows(),
        x.cols(),
        (from, to, worker) -> {
          for (int i = x.at(from); i < x.at(to); i++) {
            x.data()[i] = Math.clamp(x.data()[i], -most, most);
          }
        });
  }

  private void normalize(Pass pass, Normalization norm, int heads, Matrix x) {
    if (norm == null) {
      return;
    }
    if (spec.normOver() == NormOver.ROW) {
      norm.rows(pass, x, x);
    } else {
      int stride = spec.normOver() == NormOver.EACH_HEAD ? spec.headDim() : 0;
      norm.groups(pass, x, x, heads, spec.headDim(), stride);
    }
  }
}
