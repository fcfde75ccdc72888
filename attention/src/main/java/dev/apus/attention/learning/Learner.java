package dev.apus.attention.learning;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.core.config.Config;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.learning.FastWeights;
import dev.apus.kernels.learning.FastWeights.Shape;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Models that learn while they read, one for each head: at each token they change by the gradient
 * of how badly they map its key to its value, and then map its query.
 *
 * <p>Tokens come in chunks, counted from the beginning of the sequence. The gradients of a chunk
 * are taken at the weights of its beginning, so that they do not wait for one another, and the
 * weights change once, after its last token. Between, a head remembers of each token of the chunk
 * what it put into each matrix, x, and the gradient at what came out, g. A query sees the tokens
 * before it in the chunk through them: with the coefficients c of the {@link Schedule},
 *
 * <pre>
 *   (W − Σ_s c_s x_s ⊗ g_s)ᵀ q = Wᵀ q − Σ_s c_s (x_s · q) g_s
 * </pre>
 *
 * <p>which is the dual form of the papers. It is the only one: a token's bits are the same whether
 * it comes alone or with its chunk. What is remembered takes less memory than the gradients that a
 * form token by token would add up, as long as a chunk is shorter than a row.
 */
final class Learner {

  private final InnerModel model;
  private final List<Shape> shapes;
  private final Schedule schedule;
  private final int chunk;
  private final float epsilon;
  private final float[][] initial;
  private final float[][] norm;
  private final float[][] normBias;
  private final LearnerLayout layout;
  private final int heads;

  /**
   * @param chunk tokens whose gradients are taken at the same weights
   */
  Learner(
      InnerModel model,
      int chunk,
      Schedule schedule,
      int heads,
      float epsilon,
      WeightScope weights) {
    this.model = model;
    this.shapes = model.shapes();
    this.schedule = schedule;
    this.chunk = chunk;
    this.epsilon = epsilon;
    this.heads = heads;
    this.layout = new LearnerLayout(shapes, chunk, schedule);
    this.initial = new float[shapes.size()][];
    Arrays.setAll(initial, layer -> initial(weights, layer));
    this.norm = model.residual() ? perHead(weights, "inner.norm", Typical.NORM) : null;
    this.normBias = model.residual() ? perHead(weights, "inner.norm.bias", Typical.BIAS) : null;
  }

  /** The weights with which heads begin, each head's matrix followed by its bias. */
  private float[] initial(WeightScope weights, int layer) {
    Shape shape = shapes.get(layer);
    String name = "inner.w" + (layer + 1);
    int size = shape.inputs() * shape.outputs();
    Typical typical = new Typical(0, (float) (1 / Math.sqrt(shape.inputs())));
    float[] matrices = weights.table(name, heads * shape.inputs(), shape.outputs(), typical);
    float[] all = new float[heads * shape.floats()];
    for (int head = 0; head < heads; head++) {
      System.arraycopy(matrices, head * size, all, head * shape.floats(), size);
    }
    if (shape.biased()) {
      float[] biases = weights.table(name + ".bias", heads, shape.outputs(), Typical.BIAS);
      for (int head = 0; head < heads; head++) {
        int to = head * shape.floats() + size;
        System.arraycopy(biases, head * shape.outputs(), all, to, shape.outputs());
      }
    }
    return all;
  }

  private float[][] perHead(WeightScope weights, String name, Typical typical) {
    int dim = model.dim();
    float[] all = weights.table(name, heads, dim, typical);
    float[][] parts = new float[heads][];
    Arrays.setAll(parts, head -> Arrays.copyOfRange(all, head * dim, (head + 1) * dim));
    return parts;
  }

  /**
   * Refuses shapes whose state would not fit into an array, in which it is copied.
   *
   * @throws dev.apus.core.config.ConfigException if so
   */
  static void check(Config c, InnerModel model, int heads, int chunk) {
    double floats = chunk * (chunk + 2.0);
    for (Shape shape : model.shapes()) {
      double inputs = shape.inputs();
      floats += 2 * (inputs + 1) * shape.outputs() + chunk * (inputs + shape.outputs());
    }
    if (heads * floats > Integer.MAX_VALUE) {
      throw c.error(
          "what %d heads of %d values learn, and remember of chunks of %d, is more than 2^31 − 1"
              + " values",
          heads, model.dim(), chunk);
    }
  }

  /** What a sequence remembers, a piece for each head. */
  Region region() {
    return new Region(heads, layout.stateFloats());
  }

  int scratchFloats() {
    return layout.scratchFloats();
  }

  /**
   * What the tokens of a run have for one head: {@code dim} values of a query, a key and a value
   * each, and their rates.
   *
   * @param rateStep how far apart the rates of one token are
   */
  record Tokens(int position, int count, Rows q, Rows k, Rows v, Rows rates, int rateStep) {}

  /** What one head works with: its state, and scratch that no other thread uses. */
  record Place(Kernels kernels, int head, MemorySegment state, long at, float[] scratch) {

    FastWeights fast() {
      return kernels.fastWeights();
    }
  }

  /** Takes a head through tokens: learns from each, and writes what its query is mapped to. */
  void advance(Place place, Tokens tokens, Rows out) {
    if (tokens.position() == 0) {
      begin(place);
    }
    int from = tokens.position() % chunk;
    layout.load(place, from);
    int saved = from;
    for (int done = 0; done < tokens.count(); ) {
      int count = Math.min(chunk - from, tokens.count() - done);
      learn(place, from, count, later(tokens.k(), done), later(tokens.v(), done));
      weigh(place, from, count, later(tokens.rates(), done), tokens.rateStep());
      answer(place, from, count, later(tokens.q(), done), later(out, done), true);
      from += count;
      done += count;
      if (from == chunk) {
        change(place);
        from = 0;
        saved = 0;
      }
    }
    layout.save(place, saved, from);
  }

  /** Maps queries by the weights with which the chunk under way has begun. */
  void retrieve(Place place, int position, int count, Rows q, Rows out) {
    if (position == 0) {
      begin(place);
    }
    answer(place, 0, count, q, out, false);
  }

  private static Rows later(Rows rows, int tokens) {
    return new Rows(rows.data(), rows.start(tokens), rows.stride());
  }

  private void begin(Place place) {
    for (int layer = 0; layer < shapes.size(); layer++) {
      int floats = shapes.get(layer).floats();
      MemorySegment.copy(
          initial[layer],
          place.head() * floats,
          place.state(),
          JAVA_FLOAT_UNALIGNED,
          place.at() + layout.weights(layer),
          floats);
    }
  }

  /** Computes what tokens of the chunk put into each matrix, and the gradients at what came out. */
  private void learn(Place place, int from, int count, Rows k, Rows v) {
    float[] s = place.scratch();
    int last = shapes.size() - 1;
    for (int t = 0; t < count; t++) {
      Rows x = layout.inputs(s, 0);
      System.arraycopy(k.data(), k.start(t), s, x.start(from + t), model.dim());
    }
    for (int layer = 0; layer <= last; layer++) {
      Rows x = later(layout.inputs(s, layer), from);
      Rows z = layout.outputs(s, layer);
      place
          .fast()
          .apply(shapes.get(layer), place.state(), place.at() + layout.weights(layer), count, x, z);
      if (layer < last) {
        activate(place, count, z, later(layout.inputs(s, layer + 1), from));
      }
    }
    Rows g = later(layout.gradients(s, last), from);
    loss(place, count, layout.outputs(s, last), k, v, g);
    for (int layer = last; layer > 0; layer--) {
      Rows before = later(layout.gradients(s, layer - 1), from);
      long at = place.at() + layout.weights(layer);
      place.fast().back(shapes.get(layer), place.state(), at, count, g, before, s);
      Rows z = layout.outputs(s, layer - 1);
      place
          .kernels()
          .activations()
          .slope(model.activation(), s, z.at(), s, before.at(), count * z.stride());
      g = before;
    }
  }

  /** {@code y ← f(x)}, whose rows lie one after the other. */
  private void activate(Place place, int count, Rows x, Rows y) {
    int values = count * x.stride();
    System.arraycopy(x.data(), x.at(), y.data(), y.at(), values);
    place.kernels().activations().apply(model.activation(), y.data(), y.at(), values);
  }

  /** The gradients of the loss at what the last matrix gave, z, which is used up. */
  private void loss(Place place, int count, Rows z, Rows k, Rows v, Rows g) {
    int dim = model.dim();
    for (int t = 0; t < count; t++) {
      int at = g.start(t);
      int zAt = z.start(t);
      if (!model.residual()) {
        for (int i = 0; i < dim; i++) {
          g.data()[at + i] = 2 * (z.data()[zAt + i] - v.value(t, i));
        }
        continue;
      }
      normalize(place, z.data(), zAt, g.data(), at);
      for (int i = 0; i < dim; i++) {
        g.data()[at + i] -= v.value(t, i) - k.value(t, i);
      }
      place
          .kernels()
          .norms()
          .layerBack(z.data(), zAt, dim, norm[place.head()], epsilon, g.data(), at);
    }
  }

  private void normalize(Place place, float[] x, int xAt, float[] y, int yAt) {
    int head = place.head();
    place
        .kernels()
        .norms()
        .layer(x, xAt, 1, model.dim(), norm[head], normBias[head], 0, epsilon, y, yAt);
  }

  /** Computes the coefficients with which each token sees the changes up to it. */
  private void weigh(Place place, int from, int count, Rows rates, int rateStep) {
    float[] s = place.scratch();
    int at = layout.schedule();
    if (from == 0) {
      schedule.begin(s, at);
    }
    for (int t = 0; t < count; t++) {
      Rows c = layout.coefficients(s);
      schedule.next(from + t, rates.data(), rates.start(t), rateStep, s, at, s, c.start(from + t));
      s[layout.kept() + t] = schedule.kept(s, at);
      s[layout.pushed() + t] = schedule.pushed(s, at);
    }
  }

  /** Maps queries by the weights of the chunk's beginning and, if asked, by what changes them. */
  private void answer(Place place, int from, int count, Rows q, Rows out, boolean changed) {
    float[] s = place.scratch();
    Rows x = q;
    for (int layer = 0; layer < shapes.size(); layer++) {
      Shape shape = shapes.get(layer);
      Rows y = layout.answers(s, layer);
      long at = place.at() + layout.weights(layer);
      place.fast().apply(shape, place.state(), at, count, x, y);
      if (changed) {
        if (schedule.hasVelocity()) {
          push(place, layer, count, x, y);
        }
        Rows c = later(layout.coefficients(s), from);
        Rows inputs = layout.inputs(s, layer);
        Rows gradients = layout.gradients(s, layer);
        place.fast().recall(shape, count, from, c, x, inputs, gradients, y);
      }
      if (layer < shapes.size() - 1) {
        x = layout.queries(s, layer + 1);
        activate(place, count, y, x);
      } else {
        give(place, count, q, y, out);
      }
    }
  }

  /** {@code y ← kept · y + pushed · Vᵀ x} for each token. */
  private void push(Place place, int layer, int count, Rows x, Rows y) {
    float[] s = place.scratch();
    Shape shape = shapes.get(layer);
    Rows pushes = layout.pushes(s, layer);
    long at = place.at() + layout.velocity(layer);
    place.fast().apply(shape, place.state(), at, count, x, pushes);
    for (int t = 0; t < count; t++) {
      float kept = s[layout.kept() + t];
      int yAt = y.start(t);
      for (int i = yAt; i < yAt + shape.outputs(); i++) {
        s[i] *= kept;
      }
      place
          .kernels()
          .activations()
          .addScaled(s[layout.pushed() + t], s, pushes.start(t), s, yAt, shape.outputs());
    }
  }

  private void give(Place place, int count, Rows q, Rows y, Rows out) {
    int dim = model.dim();
    for (int t = 0; t < count; t++) {
      int to = out.start(t);
      if (!model.residual()) {
        System.arraycopy(y.data(), y.start(t), out.data(), to, dim);
        continue;
      }
      normalize(place, y.data(), y.start(t), y.data(), y.start(t));
      for (int i = 0; i < dim; i++) {
        out.data()[to + i] = q.value(t, i) + y.value(t, i);
      }
    }
  }

  /** Changes the weights by a whole chunk. */
  private void change(Place place) {
    float[] s = place.scratch();
    int last = layout.coefficients(s).start(chunk - 1);
    float kept = schedule.kept(s, layout.schedule());
    for (int layer = 0; layer < shapes.size(); layer++) {
      Shape shape = shapes.get(layer);
      Rows x = layout.inputs(s, layer);
      Rows g = layout.gradients(s, layer);
      long at = place.at() + layout.weights(layer);
      if (!schedule.hasVelocity()) {
        place.fast().learn(shape, chunk, kept, s, last, x, g, place.state(), at);
        continue;
      }
      long velocityAt = place.at() + layout.velocity(layer);
      float pushed = schedule.pushed(s, layout.schedule());
      place.fast().drift(shape.floats(), kept, pushed, place.state(), at, velocityAt);
      place.fast().learn(shape, chunk, 1, s, last, x, g, place.state(), at);
    }
    if (schedule.hasVelocity()) {
      accelerate(place, last);
    }
  }

  /** Changes the velocities; the coefficients of the chunk are not needed any more. */
  private void accelerate(Place place, int coefficients) {
    float[] s = place.scratch();
    schedule.velocity(chunk - 1, s, layout.schedule(), s, coefficients);
    float carried = schedule.carried(s, layout.schedule());
    for (int layer = 0; layer < shapes.size(); layer++) {
      place
          .fast()
          .learn(
              shapes.get(layer),
              chunk,
              carried,
              s,
              coefficients,
              layout.inputs(s, layer),
              layout.gradients(s, layer),
              place.state(),
              place.at() + layout.velocity(layer));
    }
  }
}
