package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;

/**
 * PaTH attention: what lies between a key and a query turns the one towards the other, by a map of
 * each token's own instead of an angle.
 *
 * <pre>
 *   Hₜ = I − βₜ wₜ wₜᵀ      βₜ = 2 σ(W_b xₜ + b)      wₜ = unit(silu(conv(W_w x)ₜ))
 *   sᵢⱼ = scale · (kⱼᵀ Hⱼ₊₁ … Hᵢ qᵢ  +  log fⱼ₊₁ + … + log fᵢ)      oᵢ = Σⱼ softmaxⱼ(sᵢⱼ) vⱼ
 * </pre>
 *
 * <p>The product is never made, and keys stay as they were: a query walks back over the slots, and
 * its own map, then that of the slot before, is applied to it on the way. A token keeps its key,
 * its value and {@code √β w}.
 *
 * @see <a href="https://arxiv.org/abs/2505.16381">PaTH Attention</a>
 */
public final class PathAttention implements SequenceMixer<ConvolvedCache> {

  private static final float UNIT_EPSILON = 1e-6f;

  private final PathSpec spec;
  private final Kernels kernels;
  private final CacheLayout layout;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection latents;
  private final Projection directions;
  private final Projection strengths;
  private final Projection forgetGates;
  private final CausalConvolution convolution;
  private final Projection output;
  private final PathWalk walk;

  private PathAttention(PathSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.inputs();
    this.spec = spec;
    this.kernels = site.kernels();
    var kernel = site.steadyAttention("PaTH attention");
    int forgetting = spec.forgets() ? spec.group() : 0;
    this.layout = new CacheLayout(kernel, spec.kvHeads(), 0, spec.keptDim(), forgetting);
    this.queries = weights.projection("q", spec.queryCols(), width);
    this.keys = weights.projection("k", spec.keyCols(), width);
    this.values = weights.projection("v", spec.keyCols(), width);
    boolean direct = spec.latent() == 0;
    this.latents = direct ? null : weights.projection("w.latent", spec.latent(), width);
    this.directions = weights.projection("w", spec.keyCols(), direct ? width : spec.latent());
    this.strengths = weights.projection("b", spec.kvHeads(), width, true);
    this.forgetGates = spec.forgets() ? weights.projection("f", spec.heads(), width, true) : null;
    this.convolution =
        spec.taps() == 0
            ? null
            : CausalConvolution.read(weights, "conv", spec.keyCols(), spec.taps(), false);
    this.output = weights.projection("o", site.outputs(), spec.queryCols());
    this.walk = new PathWalk(spec, kernel, kernels.activations());
  }

  @Override
  public ConvolvedCache newState(int limit) {
    RecurrentState recent =
        convolution == null ? RecurrentState.of() : RecurrentState.of(convolution.region());
    return new ConvolvedCache(new KeyValueCache(layout, limit, null), recent);
  }

  @Override
  public long bytesPerToken() {
    return layout.bytesPerToken();
  }

  @Override
  public void forward(Pass pass, Batch<ConvolvedCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix q = frame.matrix(rows, spec.queryCols());
      Matrix k = frame.matrix(rows, spec.keyCols());
      Matrix v = frame.matrix(rows, spec.keyCols());
      Matrix w = frame.matrix(rows, spec.keyCols());
      Matrix b = frame.matrix(rows, spec.kvHeads());
      pass.run(
          queries.task(pass, x, q),
          keys.task(pass, x, k),
          values.task(pass, x, v),
          strengths.task(pass, x, b));
      if (latents == null) {
        directions.apply(pass, x, w);
      } else {
        Matrix latent = frame.matrix(rows, spec.latent());
        latents.apply(pass, x, latent);
        directions.apply(pass, latent, w);
      }
      if (convolution != null) {
        Batch<RecurrentState> states = batch.map(ConvolvedCache::recent);
        convolution.apply(pass, states, 0, w, 0);
        states.runs().forEach(run -> run.state().changed());
      }
      Matrix kept = frame.matrix(rows, spec.kvHeads() * spec.keptDim());
      keep(pass, k, v, w, b, kept);
      Matrix gates =
          forgetGates == null ? null : ForgetGate.logarithms(pass, frame, forgetGates, x);
      if (gates != null) {
        scale(gates);
      }
      Batch<KeyValueCache> caches = batch.map(ConvolvedCache::cache);
      Matrix none = frame.matrix(rows, 0);
      for (Run<KeyValueCache> run : caches.runs()) {
        run.state().store(pass, none, kept, gates, run);
      }
      Matrix o = frame.matrix(rows, spec.queryCols());
      walk.attend(pass, caches, q, o);
      output.apply(pass, o, y);
    }
  }

  /** The logarithms of gates are a part of what the scale is a factor on. */
  private void scale(Matrix gates) {
    int at = gates.at(0);
    for (int i = at; i < at + gates.rows() * gates.cols(); i++) {
      gates.data()[i] *= spec.scale();
    }
  }

  /** Puts what is kept of each token together. */
  private void keep(Pass pass, Matrix k, Matrix v, Matrix w, Matrix b, Matrix kept) {
    var activations = kernels.activations();
    int dim = spec.headDim();
    pass.eachRow(
        k.rows(),
        8 * spec.keyCols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = w.at(row);
            if (convolution != null) {
              activations.apply(Activation.SILU, w.data(), at, w.cols());
            }
            kernels.norms().l2(w.data(), at, spec.kvHeads(), dim, 1, UNIT_EPSILON, w.data(), at);
            activations.apply(Activation.SIGMOID, b.data(), b.at(row), b.cols());
            for (int head = 0; head < spec.kvHeads(); head++) {
              int to0 = kept.at(row) + head * spec.keptDim();
              float root = (float) Math.sqrt(2 * b.data()[b.at(row) + head]);
              System.arraycopy(k.data(), k.at(row) + head * dim, kept.data(), to0, dim);
              for (int i = 0; i < dim; i++) {
                kept.data()[to0 + dim + i] = root * w.data()[at + head * dim + i];
              }
              System.arraycopy(v.data(), v.at(row) + head * dim, kept.data(), to0 + 2 * dim, dim);
            }
          }
        });
  }

  /** The type {@code path-attention}; its settings are those of {@link PathSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "path-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new PathAttention(PathSpec.read(settings), site);
    }
  }
}
