package dev.apus.attention.learning;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import java.util.ArrayList;
import java.util.List;

/**
 * Titans with memory as context: attention within segments, over learned rows, over what the memory
 * has to say about each token of the segment, and over the segment.
 *
 * <pre>
 *   h = W_h M(q(x))                                M as the segments before have left it
 *   y = W_y · (attention of x over [P ‖ h ‖ x])    of the segment, up to this token
 *   M ← M changed by y                             chunks of the memory are segments
 *   o = y ⊙ σ(rms(W_r M(q(y))))
 * </pre>
 *
 * <p>The paper shows the whole segment to the memory at once; a token sees here what comes before
 * it, and no more, so that text can be generated. Segments count from the beginning of the
 * sequence.
 *
 * @see <a href="https://arxiv.org/abs/2501.00663">Titans: Learning to Memorize at Test Time</a>
 */
public final class MemoryAsContext implements SequenceMixer<RecurrentState> {

  /** The regions of a state. */
  private static final int CACHE = 0;

  private static final int MEMORY = 1;

  private final int segment;
  private final SegmentAttention attention;
  private final NeuralMemory memory;
  private final Projection retrieved;
  private final Projection answered;
  private final Normalization norm;

  private MemoryAsContext(Config c, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    this.segment = c.positive("segment");
    this.attention = new SegmentAttention(SegmentAttention.Spec.read(c, segment), site);
    NeuralMemory.Spec spec = NeuralMemory.Spec.read(c.section("memory"), segment);
    if (spec.taps() > 0) {
      throw c.errorAt("memory", "taps=%d: a memory as context has no convolution", spec.taps());
    }
    this.memory = new NeuralMemory(spec, width, site.kernels(), weights.scope("memory"));
    this.retrieved = weights.projection("retrieved", width, spec.cols());
    this.answered = weights.projection("answered", width, spec.cols());
    NormSpec rms = NormSpec.rms(c.number("epsilon", 1e-6));
    this.norm = Normalization.of(rms, "norm", width, weights);
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(attention.region(), memory.regions().getFirst());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  /** Takes one segment of every run after the other: each waits for what the last has taught. */
  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    int[] done = new int[batch.runs().size()];
    for (Rows rows = next(batch, done); rows != null; rows = next(batch, done)) {
      forward(pass, rows, x, y);
    }
    batch.runs().forEach(run -> run.state().changed());
  }

  /**
   * Rows of several runs, of each as many as belong to one segment.
   *
   * @param sources the row of the whole batch where each run's rows come from
   */
  private record Rows(Batch<RecurrentState> batch, List<Integer> sources) {

    /** Copies the rows from where they are in the whole batch, or back there. */
    void move(Matrix whole, Matrix rows, boolean back) {
      for (int i = 0; i < sources.size(); i++) {
        Run<RecurrentState> run = batch.runs().get(i);
        int at = whole.at(sources.get(i));
        int to = rows.at(run.from());
        int values = run.length() * rows.cols();
        if (back) {
          System.arraycopy(rows.data(), to, whole.data(), at, values);
        } else {
          System.arraycopy(whole.data(), at, rows.data(), to, values);
        }
      }
    }
  }

  /** The rows that follow those done, or null if there are none. */
  private Rows next(Batch<RecurrentState> batch, int[] done) {
    List<Run<RecurrentState>> runs = new ArrayList<>();
    List<Integer> sources = new ArrayList<>();
    int rows = 0;
    for (int i = 0; i < done.length; i++) {
      Run<RecurrentState> run = batch.runs().get(i);
      int position = run.position() + done[i];
      int count = Math.min(run.length() - done[i], segment - position % segment);
      if (count > 0) {
        runs.add(new Run<>(run.state(), rows, rows + count, position));
        sources.add(run.from() + done[i]);
        done[i] += count;
        rows += count;
      }
    }
    return runs.isEmpty() ? null : new Rows(new Batch<>(runs), sources);
  }

  private void forward(Pass pass, Rows rows, Matrix whole, Matrix result) {
    Batch<RecurrentState> batch = rows.batch();
    int count = batch.rows();
    try (Pass.Frame frame = pass.frame()) {
      Matrix x = frame.matrix(count, whole.cols());
      Matrix h = frame.matrix(count, whole.cols());
      Matrix y = frame.matrix(count, whole.cols());
      Matrix mapped = frame.matrix(count, memory.cols());
      rows.move(whole, x, false);
      memory.retrieve(pass, batch, MEMORY, x, mapped);
      retrieved.apply(pass, mapped, h);
      attention.attend(pass, batch, CACHE, h, x, y);
      memory.advance(pass, batch, MEMORY, y, mapped);
      Matrix gates = h;
      answered.apply(pass, mapped, gates);
      norm.rows(pass, gates, gates);
      pass.eachRow(
          count,
          8 * y.cols(),
          (from, to, worker) -> {
            int at = y.at(from);
            pass.kernels()
                .activations()
                .gate(Activation.SIGMOID, gates.data(), at, y.data(), at, y.at(to) - at);
          });
      rows.move(result, y, true);
    }
  }

  /**
   * The type {@code memory-as-context}: {@code segment}, the settings of {@link SegmentAttention},
   * {@code epsilon}, and a section {@code memory} with {@code heads}, {@code headDim}, {@code
   * depth}, {@code hidden}, {@code activation} and {@code rate}.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "memory-as-context";
    }

    @Override
    public SequenceMixer<?> build(Config c, Site site) {
      return new MemoryAsContext(c, site);
    }
  }
}
