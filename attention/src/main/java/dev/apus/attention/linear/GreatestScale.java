package dev.apus.attention.linear;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.apus.attention.linear.FeatureMap.Features;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.activation.Activation;

/**
 * Keeps a memory of keys with large factors within bounds: it is kept divided by the greatest
 * factor so far.
 *
 * <pre>
 *   c′ = max(c, ℓ)      D = e^(c − c′)      k ← e^(ℓ − c′) k
 * </pre>
 *
 * <p>Where what is read is divided by the sum of its weights, the division cancels.
 *
 * @param heads of keys
 * @param region of the states, in which c is
 */
record GreatestScale(int heads, int region) {

  Region memory() {
    return new Region(heads, 1);
  }

  /**
   * Multiplies keys by their factors and gives what memories decay by, for each row and memory.
   *
   * @param k whose logarithms are overwritten
   * @param rates what each memory keeps besides
   */
  Matrix apply(
      Pass pass, Pass.Frame frame, Batch<RecurrentState> batch, Features k, float[] rates) {
    Matrix decays = apply(pass, frame, batch, k);
    int memories = rates.length;
    Matrix product = frame.matrix(decays.rows(), memories);
    int group = memories / heads;
    for (int i = 0; i < product.rows() * memories; i++) {
      product.data()[i] = decays.data()[i / group] * rates[i % memories];
    }
    return product;
  }

  private Matrix apply(Pass pass, Pass.Frame frame, Batch<RecurrentState> batch, Features k) {
    Matrix logarithms = k.logarithms();
    Matrix decay = frame.matrix(logarithms.rows(), heads);
    batch.eachPart(pass, heads, (run, head, worker) -> raise(run, head, logarithms, decay));
    Matrix keys = k.values();
    int size = keys.cols() / heads;
    var activations = pass.kernels().activations();
    pass.eachRow(
        keys.rows(),
        keys.cols(),
        (from, to, worker) -> {
          int count = (to - from) * heads;
          activations.apply(Activation.EXP, decay.data(), from * heads, count);
          activations.apply(Activation.EXP, logarithms.data(), from * heads, count);
          for (int head = from * heads; head < to * heads; head++) {
            for (int i = head * size; i < (head + 1) * size; i++) {
              keys.data()[i] *= logarithms.data()[head];
            }
          }
        });
    return decay;
  }

  /** Writes {@code ℓ − c′} and {@code c − c′} for each token of a run. */
  private void raise(Run<RecurrentState> run, int head, Matrix logarithms, Matrix decay) {
    RecurrentState state = run.state();
    state.keep(region, head);
    long at = state.at(region, head);
    float greatest =
        run.position() == 0 ? Float.NEGATIVE_INFINITY : state.segment().get(JAVA_FLOAT, at);
    for (int row = run.from(); row < run.to(); row++) {
      int i = row * heads + head;
      float next = Math.max(greatest, logarithms.data()[i]);
      decay.data()[i] = greatest - next;
      logarithms.data()[i] -= next;
      greatest = next;
    }
    state.segment().set(JAVA_FLOAT, at, greatest);
  }
}
