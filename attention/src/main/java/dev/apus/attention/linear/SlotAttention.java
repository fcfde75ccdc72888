package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.util.ArrayList;
import java.util.List;

/**
 * Softmax attention over a fixed number of slots, into which all keys and values are written: gated
 * slot attention, and attention with bounded-memory control.
 *
 * <pre>
 *   α, s from W_s x                                  what slots keep, and what is written to each
 *   K ← K diag(α) + k ⊗ s      V ← diag(α) V + s ⊗ v
 *   o = Vᵀ softmax(Kᵀ q)                             the mean over slots
 *   y = W_o (norm(f(o)) ⊙ g(W_g x))
 * </pre>
 *
 * <p>With {@link HeadInputs queries, keys and values} as in linear attention; s follows from α as
 * keys follow from what they forget.
 *
 * @see <a href="https://arxiv.org/abs/2409.07146">Gated Slot Attention</a>
 * @see <a href="https://arxiv.org/abs/2110.02488">ABC: Attention with Bounded-memory Control</a>
 */
public final class SlotAttention implements SequenceMixer<RecurrentState> {

  /** The regions of a state; those of its parts follow. */
  private static final int KEYS = 0;

  private static final int VALUES = 1;
  private static final int PARTS = 2;

  /** The settings. */
  record Spec(HeadSpec heads, int slots, Forgetting.Spec forgetting, Readout.Spec readout) {

    static Spec read(Config c, int context) {
      HeadSpec heads = HeadSpec.read(c, context);
      int slots = c.positive("slots");
      double largest = Math.max(heads.memoryRows(), heads.valueDim());
      if (heads.heads() * largest * slots > Integer.MAX_VALUE) {
        throw c.error(
            "heads=%d of slots=%d of %.0f values are more than 2^31 − 1 values",
            heads.heads(), slots, largest);
      }
      Forgetting.Spec forgetting = Forgetting.Spec.read(c);
      if (!forgetting.makesKeys()) {
        throw c.error("decay.keys is missing: what is written to a slot follows from its decay");
      }
      return new Spec(heads, slots, forgetting, Readout.Spec.read(c));
    }
  }

  private final Spec spec;
  private final Kernels kernels;
  private final HeadInputs inputs;
  private final Projection slots;
  private final Forgetting forgetting;
  private final Forgetting.Heads slotHeads;
  private final Readout readout;
  private final Projection output;
  private final Shape keyMemory;
  private final Shape valueMemory;

  private SlotAttention(Spec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    HeadSpec heads = spec.heads();
    this.spec = spec;
    this.kernels = site.kernels();
    this.inputs = new HeadInputs(heads, weights, width, site.context());
    this.slots = weights.projection("s", heads.kvHeads() * spec.slots(), width);
    this.slotHeads =
        new Forgetting.Heads(heads.heads(), heads.kvHeads(), spec.slots(), heads.valueDim());
    this.forgetting = spec.forgetting().build(slotHeads, weights, width);
    this.readout = new Readout(spec.readout(), heads.heads(), heads.valueDim(), weights, width);
    this.output = weights.projection("o", width, heads.heads() * heads.valueDim());
    this.keyMemory = new Shape(heads.memoryRows(), spec.slots(), Decay.PER_VALUE, Write.ADD);
    this.valueMemory = new Shape(spec.slots(), heads.valueDim(), Decay.PER_KEY, Write.ADD);
  }

  @Override
  public RecurrentState newState(int limit) {
    inputs.check(limit);
    int heads = spec.heads().heads();
    List<Region> regions = new ArrayList<>();
    regions.add(Region.of(heads, keyMemory));
    regions.add(Region.of(heads, valueMemory));
    regions.addAll(inputs.regions());
    regions.addAll(forgetting.regions());
    return RecurrentState.of(regions.toArray(Region[]::new));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      HeadInputs.Rows projected = inputs.rows(frame, rows);
      Matrix s = frame.matrix(rows, slots.outputs());
      Matrix gates = readout.gates(frame, rows);
      List<Divisible> first = new ArrayList<>();
      List<LowRank.Rest> second = new ArrayList<>();
      inputs.add(pass, x, projected, first);
      first.add(slots.task(pass, x, s));
      readout.add(pass, frame, x, gates, first, second);
      LowRank.run(pass, first, second);
      HeadInputs.Mapped mapped = inputs.finish(pass, frame, batch, PARTS, projected);
      Matrix decays = frame.matrix(rows, forgetting.cols());
      forgetting.finish(pass, batch, PARTS + inputs.regions().size(), s, decays);
      Matrix o = frame.matrix(rows, output.inputs());
      remember(pass, frame, batch, mapped, s, decays, o);
      batch.runs().forEach(run -> run.state().changed());
      readout.apply(pass, gates, o);
      output.apply(pass, o, y);
    }
  }

  private void remember(
      Pass pass,
      Pass.Frame frame,
      Batch<RecurrentState> batch,
      HeadInputs.Mapped mapped,
      Matrix s,
      Matrix decays,
      Matrix o) {
    int heads = spec.heads().heads();
    Matrix p = frame.matrix(o.rows(), heads * spec.slots());
    batch.eachPart(
        pass,
        heads,
        (run, head, worker) -> {
          int group = slotHeads.kvHead(head);
          Rows q = mapped.q().values().from(run.from(), head * keyMemory.keyDim());
          Rows k = mapped.k().values().from(run.from(), group * keyMemory.keyDim());
          Rows v = mapped.v().from(run.from(), group * valueMemory.valueDim());
          Rows written = s.from(run.from(), group * spec.slots());
          Rows scores = p.from(run.from(), head * spec.slots());
          Rows kept = forgetting.rows(decays, run, head);
          var scored = new Inputs(q, k, written, kept, null);
          run.state().remember(pass, worker, KEYS, head, run.length(), scored, scores);
          for (int t = 0; t < run.length(); t++) {
            kernels.activations().softmax(scores.data(), scores.start(t), spec.slots());
          }
          Rows read = o.from(run.from(), head * valueMemory.valueDim());
          var weighed = new Inputs(scores, written, v, kept, null);
          run.state().remember(pass, worker, VALUES, head, run.length(), weighed, read);
        });
  }

  /** The type {@code slot-attention}; its settings are those of {@link Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "slot-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new SlotAttention(Spec.read(settings, site.context()), site);
    }
  }
}
