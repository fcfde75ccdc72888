package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.attention.rope.RopeChoice;
import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.model.Visibility;
import dev.apus.core.routing.Choices;
import dev.apus.core.routing.Router;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Experts;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Attention by a few of many experts, which have queries and outputs of their own and share keys
 * and values:
 *
 * <pre>
 *   y = Σ_{e ∈ top(router(x))} weight_e · W_o^e attention(rope(W_q^e x), rope(K), V)   (+ b)
 * </pre>
 *
 * <p>An expert has as many query heads as there are heads of keys. Those of a token's experts that
 * read the same key head are neighbours, as if they were a group of grouped attention. Tokens are
 * gathered by expert, so an expert's weights are read once for all its tokens.
 *
 * @see <a href="https://arxiv.org/abs/2210.05144">Mixture of Attention Heads</a>
 * @see <a href="https://arxiv.org/abs/2404.07413">JetMoE</a>
 */
public final class MixtureOfAttentionHeads implements SequenceMixer<KeyValueCache> {

  /**
   * The settings of a layer.
   *
   * @param router of the experts
   * @param kvHeads heads of keys and values, and of each expert's queries
   * @param window how many tokens back a token sees, itself included; 0 for all
   * @param outBiased whether a bias is added to the sum
   * @param rope how queries and keys are turned, or null
   */
  record Spec(
      Router router, int kvHeads, int headDim, int window, boolean outBiased, Rope.Spec rope) {

    static Spec read(Config c, int context) {
      Router router = Router.read(c);
      if (router.biased() || router.hashed() || c.count("copyExperts", 0) > 0) {
        throw c.error("biased, hashed and copyExperts are settings of \"moe\" alone");
      }
      int kvHeads = c.positive("kvHeads");
      int headDim = c.positive("headDim");
      if ((double) kvHeads * headDim * router.experts() > Integer.MAX_VALUE) {
        throw c.error("experts=%d of kvHeads=%d are too many values", router.experts(), kvHeads);
      }
      return new Spec(
          router,
          kvHeads,
          headDim,
          c.count("window", 0),
          c.flag("outBiased", false),
          c.has("rope") ? Rope.Spec.read(c.section("rope"), headDim, context) : null);
    }

    /** Values of an expert's queries, and of a token's keys. */
    int cols() {
      return kvHeads * headDim;
    }
  }

  private final Spec spec;
  private final Router router;
  private final CacheLayout layout;
  private final Projection scores;
  private final Projection keys;
  private final Projection values;
  private final List<Projection> queries = new ArrayList<>();
  private final List<Projection> outputs = new ArrayList<>();
  private final Experts places;
  private final float[] bias;
  private final AttentionTiles tiles;
  private final Reach reach;
  private final RopeChoice rope;

  private MixtureOfAttentionHeads(Spec spec, Site site) {
    WeightScope weights = site.weights();
    var kernel = site.kernels().attention(site.cache());
    int width = site.inputs();
    this.spec = spec;
    this.router = spec.router();
    this.layout = new CacheLayout(kernel, spec.kvHeads(), spec.headDim(), spec.headDim());
    this.scores = weights.projection("router", router.experts(), width);
    this.keys = weights.projection("k", spec.cols(), width);
    this.values = weights.projection("v", spec.cols(), width);
    int count = router.experts() - router.zeros();
    this.places = weights.scope("expert").experts(count);
    places.guessedBy(this::guess);
    for (int e = 0; e < count; e++) {
      WeightScope expert = places.expert(e);
      queries.add(expert.projection("q", spec.cols(), width));
      outputs.add(expert.projection("o", site.outputs(), spec.cols()));
    }
    this.bias = spec.outBiased() ? weights.vector("bias", site.outputs(), Typical.BIAS) : null;
    var selection = new NearKeys(spec.window(), 0);
    this.reach = selection.reach();
    this.tiles =
        new AttentionTiles(
            kernel,
            new Traits(spec.headDim(), spec.headDim(), (float) (1 / Math.sqrt(spec.headDim())), 0),
            new Heads(spec.kvHeads(), router.top()),
            selection,
            new Biases(null, null, 0));
    this.rope = RopeChoice.of(spec.rope(), site.context());
  }

  @Override
  public KeyValueCache newState(int limit) {
    return new KeyValueCache(layout, reach, limit, rope.at(limit));
  }

  @Override
  public int variant(int limit) {
    return rope.variant(limit);
  }

  @Override
  public Set<Visibility> visibilities() {
    return layout.kernel().format().settles()
        ? Set.of(Visibility.CAUSAL)
        : Set.of(Visibility.values());
  }

  @Override
  public long bytesPerToken() {
    return layout.bytesPerToken(reach);
  }

  @Override
  public long windowBytes() {
    return layout.windowBytes(reach);
  }

  @Override
  public void forward(Pass pass, Batch<KeyValueCache> batch, Matrix x, Matrix y) {
    int rows = x.rows();
    int pairs = rows * router.top();
    try (Pass.Frame frame = pass.frame()) {
      Matrix logits = frame.matrix(rows, router.experts());
      Matrix k = frame.matrix(rows, spec.cols());
      Matrix v = frame.matrix(rows, spec.cols());
      pass.run(scores.task(pass, x, logits), keys.task(pass, x, k), values.task(pass, x, v));
      float[] weights = frame.floats(pairs);
      Choices choices = choose(pass, logits, weights);
      places.foresee(pass, x);
      Matrix q = frame.matrix(rows, router.top() * spec.cols());
      try (var _ = places.use(pass, choices.chosen(queries.size()), rows)) {
        ask(pass, choices, x, q);
        if (spec.rope() != null) {
          Rope.turn(pass, batch, KeyValueCache::rope, q, k, spec.headDim());
        }
        for (Run<KeyValueCache> run : batch.runs()) {
          run.state().store(pass, k, v, null, run);
        }
        Matrix o = frame.matrix(rows, q.cols());
        tiles.attend(pass, batch, q, o);
        batch.runs().forEach(run -> run.state().forget(run));
        answer(pass, choices, weights, o, y);
      }
    }
  }

  /** What the router would choose if it were asked with the rows of the layer before. */
  private int[] guess(Pass pass, Matrix x) {
    if (x.cols() != scores.inputs()) {
      return new int[0];
    }
    try (Pass.Frame frame = pass.frame()) {
      Matrix logits = frame.matrix(x.rows(), router.experts());
      scores.apply(pass, x, logits);
      float[] weights = frame.floats(x.rows() * router.top());
      return choose(pass, logits, weights).chosen(queries.size());
    }
  }

  private Choices choose(Pass pass, Matrix logits, float[] weights) {
    int[] chosen = new int[logits.rows() * router.top()];
    pass.eachRow(
        logits.rows(),
        router.top() * logits.cols(),
        (from, to, worker) -> {
          float[] scratch = pass.scratch(worker, router.scratchFloats());
          for (int row = from; row < to; row++) {
            router.choose(pass.kernels(), logits, row, null, scratch, chosen, weights);
          }
        });
    return Choices.sorted(chosen, router.experts() + 1);
  }

  /** Makes the queries of each token's experts; those of experts that give nothing are 0. */
  private void ask(Pass pass, Choices choices, Matrix x, Matrix q) {
    int top = router.top();
    int asked = choices.start(queries.size());
    try (Pass.Frame frame = pass.frame()) {
      Matrix given = frame.matrix(asked, x.cols());
      Matrix made = frame.matrix(asked, spec.cols());
      pass.eachRow(
          asked,
          x.cols(),
          (from, to, worker) -> {
            for (int pair = from; pair < to; pair++) {
              int at = x.at(choices.choice(pair) / top);
              System.arraycopy(x.data(), at, given.data(), given.at(pair), x.cols());
            }
          });
      pass.run(
          each(
              choices,
              queries,
              (expert, from, to) -> expert.task(pass, given, 0, made, 0, from, to)));
      pass.eachRow(
          x.rows(),
          q.cols(),
          (from, to, worker) -> {
            for (int choice = from * top; choice < to * top; choice++) {
              for (int head = 0; head < spec.kvHeads(); head++) {
                int at = head(q, choice, head);
                if (choices.pair(choice) < asked) {
                  int source = made.at(choices.pair(choice)) + head * spec.headDim();
                  System.arraycopy(made.data(), source, q.data(), at, spec.headDim());
                } else {
                  Arrays.fill(q.data(), at, at + spec.headDim(), 0);
                }
              }
            }
          });
    }
  }

  /** Where a head of a choice is, beside those of the token's other choices. */
  private int head(Matrix q, int choice, int head) {
    int top = router.top();
    return q.at(choice / top) + (head * top + choice % top) * spec.headDim();
  }

  /** Projects what each expert's heads gave, and sums it up in the order of the experts. */
  private void answer(Pass pass, Choices choices, float[] weights, Matrix o, Matrix y) {
    int top = router.top();
    int asked = choices.start(queries.size());
    try (Pass.Frame frame = pass.frame()) {
      Matrix heads = frame.matrix(asked, spec.cols());
      Matrix given = frame.matrix(asked, y.cols());
      pass.eachRow(
          asked,
          spec.cols(),
          (from, to, worker) -> {
            for (int pair = from; pair < to; pair++) {
              for (int head = 0; head < spec.kvHeads(); head++) {
                int source = head(o, choices.choice(pair), head);
                int at = heads.at(pair) + head * spec.headDim();
                System.arraycopy(o.data(), source, heads.data(), at, spec.headDim());
              }
            }
          });
      pass.run(
          each(
              choices,
              outputs,
              (expert, from, to) -> expert.task(pass, heads, 0, given, 0, from, to)));
      pass.eachRow(
          y.rows(),
          (top + 1) * y.cols(),
          (from, to, worker) -> {
            for (int row = from; row < to; row++) {
              Arrays.fill(y.data(), y.at(row), y.at(row + 1), 0);
              for (int choice = row * top; choice < (row + 1) * top; choice++) {
                if (choices.pair(choice) < asked) {
                  add(pass, weights[choice], given.data(), given.at(choices.pair(choice)), y, row);
                }
              }
              if (bias != null) {
                add(pass, 1, bias, 0, y, row);
              }
            }
          });
    }
  }

  private static void add(Pass pass, float weight, float[] from, int at, Matrix y, int row) {
    pass.kernels().activations().addScaled(weight, from, at, y.data(), y.at(row), y.cols());
  }

  private interface OfExpert {
    Divisible task(Projection expert, int from, int to);
  }

  /** What each expert does for its pairs. */
  private static Divisible[] each(Choices choices, List<Projection> experts, OfExpert work) {
    List<Divisible> tasks = new ArrayList<>();
    for (int e = 0; e < experts.size(); e++) {
      if (choices.start(e) < choices.start(e + 1)) {
        tasks.add(work.task(experts.get(e), choices.start(e), choices.start(e + 1)));
      }
    }
    return tasks.toArray(Divisible[]::new);
  }

  /**
   * The type {@code mixture-of-attention-heads}; its settings are those of {@link Spec} and of
   * {@link Router#read}.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "mixture-of-attention-heads";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new MixtureOfAttentionHeads(Spec.read(settings, site.context()), site);
    }
  }
}
