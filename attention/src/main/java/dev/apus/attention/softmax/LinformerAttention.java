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
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activations;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;

/**
 * Attention to a fixed number of slots, to which learned matrices project a text's keys and values:
 *
 * <pre>
 *   O = softmax(Q (E K)ᵀ/√d) (F V)          E, F ∈ ℝ^{slots × context}
 * </pre>
 *
 * <p>A text that is shorter than the context meets the first columns of E and F.
 *
 * @see <a href="https://arxiv.org/abs/2006.04768">Linformer</a>
 */
public final class LinformerAttention implements SequenceMixer<KeyValueCache> {

  /** What shares one matrix. */
  private enum Sharing {
    /** Nothing: each head has its E and its F. */
    NONE,
    /** The heads of a layer: it has one E and one F. */
    HEADS,
    /** Keys and values, too: a layer has one E. */
    KV,
    /** All layers that name this one's weights: they have one E. */
    LAYERS
  }

  private final int heads;
  private final int headDim;
  private final int slots;
  private final int context;
  private final boolean eachHead;
  private final Activations activations;
  private final CacheLayout layout;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection output;
  private final float[] keySlots;
  private final float[] valueSlots;
  private final AttentionTiles tiles;

  private LinformerAttention(Config c, Site site) {
    this.heads = c.positive("heads");
    this.headDim = c.positive("headDim");
    this.slots = c.positive("slots");
    this.context = site.context();
    Sharing sharing =
        Sharing.valueOf(
            c.choice("sharing", "heads", "none", "heads", "kv", "layers").toUpperCase(Locale.ROOT));
    boolean biased = c.flag("biased", false);
    // Layers may share the matrices of the slots; everything else is a layer's own.
    WeightScope shared = site.weights();
    WeightScope own = sharing == Sharing.LAYERS ? shared.own() : shared;
    int cols = Math.multiplyExact(heads, headDim);
    this.eachHead = sharing == Sharing.NONE;
    this.activations = site.kernels().activations();
    this.queries = own.projection("q", cols, site.inputs(), biased);
    this.keys = own.projection("k", cols, site.inputs(), biased);
    this.values = own.projection("v", cols, site.inputs(), biased);
    this.output = own.projection("o", site.outputs(), cols, biased);
    var typical = new Typical(0, (float) Math.sqrt(3.0 / context));
    int rows = eachHead ? Math.multiplyExact(heads, slots) : slots;
    this.keySlots = shared.table("e", rows, context, typical);
    boolean one = sharing == Sharing.KV || sharing == Sharing.LAYERS;
    this.valueSlots = one ? keySlots : shared.table("f", rows, context, typical);
    var kernel = site.steadyAttention("Linformer attention");
    this.layout = new CacheLayout(kernel, heads, headDim, headDim);
    var traits = new Traits(headDim, headDim, (float) (1 / Math.sqrt(headDim)), 0);
    this.tiles =
        new AttentionTiles(
            kernel, traits, new Heads(heads, 1), NearKeys.ALL, new Biases(null, null, 0));
  }

  /**
   * @throws IllegalArgumentException if the text is longer than the matrices are
   */
  @Override
  public KeyValueCache newState(int limit) {
    if (limit > context) {
      throw new IllegalArgumentException(
          "a text of " + limit + " tokens; linformer-attention reads at most " + context);
    }
    return new KeyValueCache(layout, slots, null);
  }

  @Override
  public Set<Visibility> visibilities() {
    return Set.of(Visibility.BIDIRECTIONAL);
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<KeyValueCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int cols = heads * headDim;
      Matrix q = frame.matrix(x.rows(), cols);
      Matrix k = frame.matrix(x.rows(), cols);
      Matrix v = frame.matrix(x.rows(), cols);
      Matrix o = frame.matrix(x.rows(), cols);
      Matrix slotKeys = frame.matrix(slots, cols);
      Matrix slotValues = frame.matrix(slots, cols);
      pass.run(queries.task(pass, x, q), keys.task(pass, x, k), values.task(pass, x, v));
      for (Run<KeyValueCache> run : batch.runs()) {
        project(pass, run, keySlots, k, slotKeys);
        project(pass, run, valueSlots, v, slotValues);
        run.state().append(pass, slotKeys, slotValues, 0, slots);
      }
      // However many rows there are, each sees all slots.
      tiles.attend(
          pass, batch.runs().stream().map(run -> run.seeing(Visibility.SURROUNDED)).toList(), q, o);
      output.apply(pass, o, y);
    }
  }

  /** Writes the slots of a run's rows: {@code E X}. */
  private void project(Pass pass, Run<KeyValueCache> run, float[] e, Matrix x, Matrix projected) {
    int cols = eachHead ? headDim : x.cols();
    int parts = x.cols() / cols;
    pass.eachRow(
        slots * parts,
        run.length() * cols,
        (from, to, worker) -> {
          for (int i = from; i < to; i++) {
            // Row i of E belongs to slot i of a head, or of all of them.
            int columnAt = i / slots * cols;
            int at = projected.at(i % slots) + columnAt;
            Arrays.fill(projected.data(), at, at + cols, 0);
            for (int t = 0; t < run.length(); t++) {
              int rowAt = x.at(run.from() + t) + columnAt;
              activations.addScaled(
                  e[i * context + t], x.data(), rowAt, projected.data(), at, cols);
            }
          }
        });
  }

  /**
   * The type {@code linformer-attention}: {@code heads}, {@code headDim}, {@code slots}, {@code
   * biased}, and the {@code sharing} of the matrices: {@code none}, by the {@code heads} of a
   * layer, by keys and values too ({@code kv}), or by all {@code layers} whose {@code weightsOf} is
   * one layer.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "linformer-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new LinformerAttention(settings, site);
    }
  }
}
