package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentStates;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.routing.Choices;
import dev.apus.core.routing.Router;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Mixture of memories: a {@link GatedDeltaNet} of several memories, of which a router chooses a few
 * for each token. A memory sees those tokens alone that are sent to it, one after the other, in its
 * short convolution too.
 *
 * <pre>
 *   q = W_q x      k, v, α, β as in a Gated DeltaNet, from projections of each memory or of all
 *   o = Σ_{m ∈ top(W_r x)} weight_m · S_mᵀq   (+ S_sharedᵀq)
 *   y = W_o (rms(o) ⊙ f(W_z x))
 * </pre>
 *
 * <p>So a memory of a sequence is a sequence of its own: the tokens of a batch are gathered by
 * memory and by sequence, and all memories are computed like the sequences of one batch. What a
 * token reads is added in the order of the memories, the shared one last.
 *
 * @see <a href="https://arxiv.org/abs/2502.13685">Mixture-of-Memories</a>
 */
public final class MixtureOfMemories implements SequenceMixer<RecurrentStates> {

  private final MemoriesSpec spec;
  private final DeltaSpec delta;
  private final Router router;
  private final Projection scores;
  private final Projection q;
  private final LowRank z;
  private final Projection output;
  private final DeltaHeads heads;

  /** What keys, values and gates of each memory are projected with, or of all memories. */
  private final List<Sides> sides = new ArrayList<>();

  /** The projections of a memory, of which there may be no decays and no strengths. */
  private record Sides(Projection k, Projection v, Projection a, Projection b) {

    static Sides read(DeltaSpec spec, WeightScope weights, int width) {
      int decays = spec.valueHeads() * spec.decays();
      return new Sides(
          weights.projection("k", spec.steps() * spec.keyCols(), width),
          weights.projection("v", spec.steps() * spec.valueCols(), width),
          decays == 0 ? null : weights.projection("a", decays, width),
          spec.beta() ? weights.projection("b", spec.strengths(), width) : null);
    }

    /** Adds the projections of rows {@code [from, to)}, queries left out. */
    void add(
        Pass pass,
        DeltaSpec spec,
        Matrix x,
        DeltaHeads.Tokens tokens,
        int from,
        int to,
        List<Divisible> tasks) {
      tasks.add(k.task(pass, x, 0, tokens.mixed(), spec.keyCols(), from, to));
      tasks.add(v.task(pass, x, 0, tokens.mixed(), spec.firstValue(), from, to));
      if (a != null) {
        tasks.add(a.task(pass, x, 0, tokens.alpha(), 0, from, to));
      }
      if (b != null) {
        tasks.add(b.task(pass, x, 0, tokens.beta(), 0, from, to));
      }
    }
  }

  private MixtureOfMemories(MemoriesSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    this.spec = spec;
    this.delta = spec.delta();
    this.router = spec.router();
    this.scores = weights.projection("router", spec.memories(), width);
    this.q = weights.projection("q", delta.keyCols(), width);
    this.z =
        delta.gate() == null
            ? null
            : LowRank.read(
                weights, "z", delta.valueCols(), width, delta.gateLatent(), delta.gateBiased());
    this.output = weights.projection("o", width, delta.valueCols());
    this.heads = new DeltaHeads(delta, weights, site.kernels());
    for (int m = 0; spec.apart() && m < spec.memories(); m++) {
      sides.add(Sides.read(delta, weights.scope("memory").expert(m), width));
    }
    if (spec.shared() || !spec.apart()) {
      sides.add(Sides.read(delta, weights.scope("shared"), width));
    }
  }

  @Override
  public RecurrentStates newState(int limit) {
    return RecurrentStates.of(spec.all(), spec.all(), memory -> heads.newState());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentStates> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix logits = frame.matrix(rows, spec.memories());
      Matrix gate = z == null ? null : frame.matrix(rows, delta.valueCols());
      var said = tokens(frame, rows);
      List<Divisible> first = new ArrayList<>();
      List<LowRank.Rest> second = new ArrayList<>();
      first.add(scores.task(pass, x, logits));
      first.add(q.task(pass, x, 0, said.mixed(), 0));
      LowRank.add(z, pass, frame, x, gate, first, second);
      if (!spec.apart()) {
        sides.getFirst().add(pass, delta, x, said, 0, rows, first);
      }
      LowRank.run(pass, first, second);
      float[] weights = frame.floats(rows * spec.each());
      Choices choices = choose(pass, frame, logits, weights);
      Matrix read = frame.matrix(rows * spec.each(), delta.valueCols());
      ask(pass, batch, choices, x, said, read);
      Matrix o = frame.matrix(rows, delta.valueCols());
      add(pass, choices, weights, read, o);
      heads.normalize(pass, gate, o);
      output.apply(pass, o, y);
    }
  }

  private DeltaHeads.Tokens tokens(Pass.Frame frame, int rows) {
    int decays = delta.valueHeads() * delta.decays();
    return new DeltaHeads.Tokens(
        frame.matrix(rows, delta.channels()),
        decays == 0 ? null : frame.matrix(rows, decays),
        frame.matrix(rows, delta.strengths()),
        null);
  }

  /** The memories of each token in ascending order, and how much each counts. */
  private Choices choose(Pass pass, Pass.Frame frame, Matrix logits, float[] weights) {
    int rows = logits.rows();
    int top = spec.top();
    int each = spec.each();
    int[] chosen = new int[rows * top];
    int[] memories = new int[rows * each];
    float[] shares = frame.floats(rows * top);
    pass.eachRow(
        rows,
        top * logits.cols(),
        (from, to, worker) -> {
          float[] scratch = pass.scratch(worker, router.scratchFloats());
          for (int row = from; row < to; row++) {
            router.choose(pass.kernels(), logits, row, null, scratch, chosen, shares);
            System.arraycopy(chosen, row * top, memories, row * each, top);
            System.arraycopy(shares, row * top, weights, row * each, top);
            if (each > top) {
              memories[row * each + top] = spec.memories();
              weights[row * each + top] = 1;
            }
          }
        });
    return Choices.sorted(memories, spec.all());
  }

  /**
   * Every memory takes its tokens and answers.
   *
   * @param said what was projected of each row for all memories alike
   * @param read receives a row for each pair of a token and a memory
   */
  private void ask(
      Pass pass,
      Batch<RecurrentStates> batch,
      Choices choices,
      Matrix x,
      DeltaHeads.Tokens said,
      Matrix read) {
    int pairs = read.rows();
    try (Pass.Frame frame = pass.frame()) {
      var tokens = tokens(frame, pairs);
      gather(
          pass,
          choices,
          said.mixed(),
          spec.apart() ? delta.keyCols() : delta.channels(),
          tokens.mixed());
      if (spec.apart()) {
        Matrix asked = frame.matrix(pairs, x.cols());
        gather(pass, choices, x, x.cols(), asked);
        List<Divisible> tasks = new ArrayList<>();
        for (int m = 0; m < spec.all(); m++) {
          int from = choices.start(m);
          int to = choices.start(m + 1);
          if (from < to) {
            sides.get(m).add(pass, delta, asked, tokens, from, to, tasks);
          }
        }
        pass.run(tasks.toArray(Divisible[]::new));
      } else {
        if (said.alpha() != null) {
          gather(pass, choices, said.alpha(), said.alpha().cols(), tokens.alpha());
        }
        if (delta.beta()) {
          gather(pass, choices, said.beta(), said.beta().cols(), tokens.beta());
        }
      }
      Batch<RecurrentState> runs = runs(batch, choices);
      heads.mix(pass, runs, tokens.mixed());
      heads.advance(pass, runs, tokens, read);
    }
  }

  /** Copies the first values of each pair's token. */
  private void gather(Pass pass, Choices choices, Matrix from, int values, Matrix to) {
    int each = spec.each();
    pass.eachRow(
        to.rows(),
        values,
        (first, last, worker) -> {
          for (int pair = first; pair < last; pair++) {
            int at = from.at(choices.choice(pair) / each);
            System.arraycopy(from.data(), at, to.data(), to.at(pair), values);
          }
        });
  }

  /** The pairs as runs of the memories of sequences: those of a memory are in the order of rows. */
  private Batch<RecurrentState> runs(Batch<RecurrentStates> batch, Choices choices) {
    List<Run<RecurrentState>> runs = new ArrayList<>();
    for (int m = 0; m < spec.all(); m++) {
      int pair = choices.start(m);
      for (Run<RecurrentStates> run : batch.runs()) {
        int from = pair;
        while (pair < choices.start(m + 1) && choices.choice(pair) / spec.each() < run.to()) {
          pair++;
        }
        if (from < pair) {
          runs.add(new Run<>(run.state().part(m), from, pair, run.position()));
        }
      }
    }
    return new Batch<>(runs);
  }

  private void add(Pass pass, Choices choices, float[] weights, Matrix read, Matrix o) {
    int each = spec.each();
    pass.eachRow(
        o.rows(),
        each * o.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            Arrays.fill(o.data(), o.at(row), o.at(row + 1), 0);
            for (int choice = row * each; choice < (row + 1) * each; choice++) {
              int at = read.at(choices.pair(choice));
              pass.kernels()
                  .activations()
                  .addScaled(weights[choice], read.data(), at, o.data(), o.at(row), o.cols());
            }
          }
        });
  }

  /** The type {@code mixture-of-memories}; its settings are those of {@link MemoriesSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "mixture-of-memories";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new MixtureOfMemories(MemoriesSpec.read(settings), site);
    }
  }
}
