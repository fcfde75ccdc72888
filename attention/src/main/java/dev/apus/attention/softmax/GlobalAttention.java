package dev.apus.attention.softmax;

import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Attention to a window and to the tokens of a text that are global. These see all tokens, with
 * queries, keys and values of their own projections:
 *
 * <pre>
 *   oᵢ = Σⱼ softmaxⱼ(scale · qᵢ·kⱼ) vⱼ       over |i − j| &lt; window and global j
 *   oᵢ = Σⱼ softmaxⱼ(scale · q′ᵢ·k′ⱼ) v′ⱼ     over all j, if i is global
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2004.05150">Longformer</a>
 */
public final class GlobalAttention implements SequenceMixer<KeyValueCache> {

  /**
   * Settings.
   *
   * @param window how many tokens back a token sees, itself included, and as many ahead
   */
  record Spec(int heads, int headDim, int window, float scale, boolean biased) {

    static Spec read(Config c) {
      int heads = c.positive("heads");
      int headDim = c.positive("headDim");
      if ((long) heads * headDim > Integer.MAX_VALUE) {
        throw c.error("heads=%d of %d values are more than 2^31 − 1 values a row", heads, headDim);
      }
      return new Spec(
          heads,
          headDim,
          c.positive("window"),
          c.real("scale", (float) (1 / Math.sqrt(headDim))),
          c.flag("biased", false));
    }

    int cols() {
      return heads * headDim;
    }
  }

  /** The projections of one kind of tokens. */
  private record Projections(Projection queries, Projection keys, Projection values) {

    static Projections of(WeightScope weights, Spec spec, int width) {
      return new Projections(
          weights.projection("q", spec.cols(), width, spec.biased()),
          weights.projection("k", spec.cols(), width, spec.biased()),
          weights.projection("v", spec.cols(), width, spec.biased()));
    }
  }

  private final Spec spec;
  private final CacheLayout layout;
  private final Projections local;
  private final Projections global;
  private final Projection output;
  private final AttentionTiles near;
  private final AttentionTiles all;

  private GlobalAttention(Spec spec, Site site) {
    this.spec = spec;
    var kernel = site.steadyAttention("attention with global tokens");
    this.layout = new CacheLayout(kernel, spec.heads(), spec.headDim(), spec.headDim());
    WeightScope weights = site.weights();
    this.local = Projections.of(weights, spec, site.inputs());
    this.global = Projections.of(weights.scope("global"), spec, site.inputs());
    this.output = weights.projection("o", site.outputs(), spec.cols(), spec.biased());
    this.near = tiles(kernel, new PatternedKeys(this::pattern, Reach.ALL, false));
    this.all = tiles(kernel, NearKeys.ALL);
  }

  private AttentionTiles tiles(
      dev.apus.kernels.attention.Attention kernel, KeySelection selection) {
    return new AttentionTiles(
        kernel,
        new Traits(spec.headDim(), spec.headDim(), spec.scale(), 0),
        new Heads(spec.heads(), 1),
        selection,
        new Biases(null, null, 0));
  }

  /** What the rows of a run visit that are not global. */
  private KeyPattern pattern(Run<KeyValueCache> run) {
    return new KeyPattern.Global(spec.window(), run.global(), true);
  }

  @Override
  public KeyValueCache newState(int limit) {
    return new KeyValueCache(layout, limit, null);
  }

  @Override
  public Set<Visibility> visibilities() {
    return Set.of(Visibility.BIDIRECTIONAL);
  }

  @Override
  public boolean seesGlobalTokens() {
    return true;
  }

  @Override
  public long bytesPerToken() {
    return layout.bytesPerToken();
  }

  @Override
  public void forward(Pass pass, Batch<KeyValueCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix q = frame.matrix(x.rows(), spec.cols());
      Matrix k = frame.matrix(x.rows(), spec.cols());
      Matrix v = frame.matrix(x.rows(), spec.cols());
      Matrix o = frame.matrix(x.rows(), spec.cols());
      pass.run(
          local.queries.task(pass, x, q),
          local.keys.task(pass, x, k),
          local.values.task(pass, x, v));
      for (Run<KeyValueCache> run : batch.runs()) {
        run.state().append(pass, k, v, run.from(), run.length());
      }
      near.attend(pass, batch, q, o);
      for (Run<KeyValueCache> run : batch.runs()) {
        if (run.global().length > 0) {
          attendGlobally(pass, run, x, o);
        }
      }
      output.apply(pass, o, y);
    }
  }

  /** Writes what the global tokens of a run make of all its tokens. */
  private void attendGlobally(Pass pass, Run<KeyValueCache> run, Matrix x, Matrix o) {
    int[] tokens = run.global();
    try (Pass.Frame frame = pass.frame();
        var cache = new KeyValueCache(layout, run.length(), null)) {
      Matrix text = frame.matrix(run.length(), x.cols());
      System.arraycopy(x.data(), x.at(run.from()), text.data(), 0, run.length() * x.cols());
      Matrix asking = frame.matrix(tokens.length, x.cols());
      for (int i = 0; i < tokens.length; i++) {
        System.arraycopy(text.data(), text.at(tokens[i]), asking.data(), asking.at(i), x.cols());
      }
      Matrix q = frame.matrix(tokens.length, spec.cols());
      Matrix k = frame.matrix(run.length(), spec.cols());
      Matrix v = frame.matrix(run.length(), spec.cols());
      Matrix answers = frame.matrix(tokens.length, spec.cols());
      pass.run(
          global.queries.task(pass, asking, q),
          global.keys.task(pass, text, k),
          global.values.task(pass, text, v));
      cache.append(pass, k, v, 0, run.length());
      List<Run<KeyValueCache>> askers = new ArrayList<>();
      askers.add(new Run<>(cache, 0, tokens.length, 0, Visibility.SURROUNDED));
      all.attend(pass, askers, q, answers);
      for (int i = 0; i < tokens.length; i++) {
        int row = o.at(run.from() + tokens[i]);
        System.arraycopy(answers.data(), answers.at(i), o.data(), row, o.cols());
      }
    }
  }

  /** The type {@code global-attention}; its settings are those of {@link Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "global-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new GlobalAttention(Spec.read(settings), site);
    }
  }
}
