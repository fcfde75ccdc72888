package dev.apus.attention.learning;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.compute.Workers;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** One matrix, plain and without momentum, which learns from each token at once: the delta rule. */
class LearnerTest {

  private static final int DIM = 12;
  private static final int TOKENS = 37;

  @Test
  void aMatrixWithoutMomentumIsAMemoryThatIsWrittenByTheDeltaRule() {
    Kernels kernels = Kernels.chosen();
    var random = new SplittableRandom(3);
    float[] q = unit(random);
    float[] k = unit(random);
    float[] v = normal(random);
    float[] beta = new float[TOKENS];
    float[] rates = new float[3 * TOKENS];
    for (int t = 0; t < TOKENS; t++) {
      beta[t] = random.nextFloat();
      // The gradient of ‖M(k) − v‖² is 2 (M(k) − v) ⊗ k.
      rates[3 * t] = beta[t] / 2;
    }
    float[] learned = new float[TOKENS * DIM];
    float[] expected = new float[TOKENS * DIM];
    var model = new InnerModel(DIM, 1, DIM, Activation.GELU_TANH, false);
    try (Arena arena = Arena.ofShared();
        Workers workers = Workers.of(1)) {
      var source = new RandomWeights(4, WeightFormat.F32);
      var weights = new Weights(source, kernels, workers, arena).root();
      var learner = new Learner(model, 1, new Momentum(1), 1, 0, weights);
      MemorySegment state = arena.allocate(4 * learner.region().floats(), 64);
      var place = new Learner.Place(kernels, 0, state, 0, new float[learner.scratchFloats()]);
      // At position 0 the head begins, and retrieving changes nothing.
      learner.retrieve(place, 0, 1, rows(q), rows(learned));
      var shape = new Shape(DIM, DIM, MatrixMemory.Decay.NONE, MatrixMemory.Write.DELTA);
      MemorySegment memory = arena.allocate(4 * MatrixMemory.floats(shape), 64);
      MemorySegment.copy(state, 0, memory, 0, 4L * DIM * DIM);
      var tokens =
          new Learner.Tokens(0, TOKENS, rows(q), rows(k), rows(v), new Rows(rates, 0, 3), 1);
      learner.advance(place, tokens, rows(learned));
      kernels
          .memory()
          .advance(
              shape,
              TOKENS,
              new MatrixMemory.Inputs(rows(q), rows(k), rows(v), null, new Rows(beta, 0, 1)),
              memory,
              0,
              0,
              rows(expected),
              new float[kernels.memory().scratchFloats(shape)]);
    }
    for (int i = 0; i < learned.length; i++) {
      assertEquals(expected[i], learned[i], 1e-5, "value " + i);
    }
  }

  private static Rows rows(float[] data) {
    return new Rows(data, 0, DIM);
  }

  private static float[] normal(SplittableRandom random) {
    float[] x = new float[TOKENS * DIM];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static float[] unit(SplittableRandom random) {
    float[] x = normal(random);
    Kernels.scalar().norms().l2(x, 0, TOKENS, DIM, 1, 0, x, 0);
    return x;
  }
}
