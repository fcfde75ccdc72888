package dev.apus.attention.learning;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Output;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;

/**
 * A layer of {@link NeuralMemory}, by itself: what its heads give is normalised and gated.
 *
 * <pre>
 *   y = W_o (rms(memory(x)) ⊙ σ(W_g x))
 * </pre>
 *
 * <p>With a layer of attention after it this is Titans' memory as a layer, with one beside it the
 * memory as a gate; persistent memory is the meta tokens of the model.
 */
public final class MemoryLayer implements SequenceMixer<RecurrentState> {

  private final NeuralMemory memory;
  private final int headDim;
  private final float epsilon;
  private final float[] norm;
  private final Projection gate;
  private final Output output;

  private MemoryLayer(
      NeuralMemory.Spec spec, boolean gated, boolean projected, float epsilon, Site site) {
    var weights = site.weights();
    this.memory = new NeuralMemory(spec, site.inputs(), site.kernels(), weights);
    this.headDim = spec.inner().dim();
    this.epsilon = epsilon;
    this.norm = weights.vector("norm", headDim, Typical.NORM);
    this.gate = gated ? weights.projection("gate", spec.cols(), site.inputs()) : null;
    this.output = Output.of(projected, site, spec.cols(), false);
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(memory.regions().toArray(Region[]::new));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int cols = memory.cols();
      Matrix o = output.inner(frame, y);
      Matrix gates = gate == null ? null : frame.matrix(x.rows(), cols);
      Divisible[] also =
          gate == null ? new Divisible[0] : new Divisible[] {gate.task(pass, x, gates)};
      memory.advance(pass, batch, 0, x, o, also);
      batch.runs().forEach(run -> run.state().changed());
      pass.eachRow(
          o.rows(),
          8 * cols,
          (from, to, worker) -> {
            for (int row = from; row < to; row++) {
              normalize(pass, gates, o, row);
            }
          });
      output.apply(pass, o, y);
    }
  }

  private void normalize(Pass pass, Matrix gates, Matrix o, int row) {
    float[] data = o.data();
    int at = o.at(row);
    int heads = o.cols() / headDim;
    pass.kernels().norms().rms(data, at, heads, headDim, norm, 0, epsilon, data, at);
    if (gates != null) {
      pass.kernels()
          .activations()
          .gate(Activation.SIGMOID, gates.data(), gates.at(row), data, at, o.cols());
    }
  }

  /**
   * The type {@code neural-memory}: {@code heads}, {@code headDim}, {@code depth} matrices with
   * {@code hidden} values and an {@code activation} between, {@code chunk}, {@code rate}, {@code
   * taps}, {@code gated}, {@code projected} and {@code epsilon}.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "neural-memory";
    }

    @Override
    public SequenceMixer<?> build(Config c, Site site) {
      return new MemoryLayer(
          NeuralMemory.Spec.read(c, c.positive("chunk", 16)),
          c.flag("gated", true),
          c.flag("projected", true),
          c.real("epsilon", 1e-6f),
          site);
    }
  }
}
