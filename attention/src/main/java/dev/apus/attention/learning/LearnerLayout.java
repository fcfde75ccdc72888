package dev.apus.attention.learning;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.attention.learning.Learner.Place;
import dev.apus.kernels.learning.FastWeights;
import dev.apus.kernels.learning.FastWeights.Shape;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Where a head of a {@link Learner} keeps what.
 *
 * <p>Its state holds the weights and velocities of each matrix, then what it remembers of the chunk
 * under way: the inputs and gradients at each matrix of all tokens but the last, and the numbers of
 * the schedule. Scratch holds the latter for a whole chunk, and what its tokens pass through.
 */
final class LearnerLayout {

  private final List<Shape> shapes;
  private final int chunk;
  private final int scheduleFloats;
  private final long[] weights;
  private final long[] velocities;
  private final long remembered;
  private final long stateFloats;
  private final int[] inputs;
  private final int[] gradients;
  private final int[] outputs;
  private final int queries;
  private final int answers;
  private final int pushes;
  private final int coefficients;
  private final int kept;
  private final int schedule;
  private final int scratchFloats;

  LearnerLayout(List<Shape> shapes, int chunk, Schedule rule) {
    this.shapes = shapes;
    this.chunk = chunk;
    this.scheduleFloats = rule.floats();
    int layers = shapes.size();
    this.weights = new long[layers];
    this.velocities = new long[layers];
    this.inputs = new int[layers];
    this.gradients = new int[layers];
    this.outputs = new int[layers];
    long state = 0;
    int widest = 0;
    int perToken = 0;
    for (int layer = 0; layer < layers; layer++) {
      Shape shape = shapes.get(layer);
      weights[layer] = Float.BYTES * state;
      state += shape.floats();
      velocities[layer] = Float.BYTES * state;
      state += rule.hasVelocity() ? shape.floats() : 0;
      widest = Math.max(widest, Math.max(shape.inputs(), shape.outputs()));
      perToken += shape.inputs() + shape.outputs();
    }
    this.remembered = Float.BYTES * state;
    this.stateFloats = chunk == 1 ? state : state + (chunk - 1L) * perToken + scheduleFloats;
    int at = FastWeights.ROWS * widest;
    for (int layer = 0; layer < layers; layer++) {
      Shape shape = shapes.get(layer);
      inputs[layer] = at;
      gradients[layer] = at + chunk * shape.inputs();
      outputs[layer] = gradients[layer] + chunk * shape.outputs();
      at = outputs[layer] + chunk * shape.outputs();
    }
    this.queries = at;
    this.answers = queries + chunk * widest;
    this.pushes = answers + chunk * widest;
    this.coefficients = pushes + chunk * widest;
    this.kept = coefficients + chunk * chunk;
    this.schedule = kept + 2 * chunk;
    this.scratchFloats = schedule + scheduleFloats;
  }

  long stateFloats() {
    return stateFloats;
  }

  int scratchFloats() {
    return scratchFloats;
  }

  /** The byte of a head's state where a matrix begins. */
  long weights(int layer) {
    return weights[layer];
  }

  /** The byte where a matrix's velocity begins. */
  long velocity(int layer) {
    return velocities[layer];
  }

  /** What each token of the chunk put into a matrix. */
  Rows inputs(float[] scratch, int layer) {
    return new Rows(scratch, inputs[layer], shapes.get(layer).inputs());
  }

  /** The gradient at what came out of a matrix, for each token of the chunk. */
  Rows gradients(float[] scratch, int layer) {
    return new Rows(scratch, gradients[layer], shapes.get(layer).outputs());
  }

  /** What comes out of a matrix for keys. */
  Rows outputs(float[] scratch, int layer) {
    return new Rows(scratch, outputs[layer], shapes.get(layer).outputs());
  }

  /** What goes into a matrix for queries. */
  Rows queries(float[] scratch, int layer) {
    return new Rows(scratch, queries, shapes.get(layer).inputs());
  }

  /** What comes out of a matrix for queries. */
  Rows answers(float[] scratch, int layer) {
    return new Rows(scratch, answers, shapes.get(layer).outputs());
  }

  /** What comes out of a matrix's velocity for queries. */
  Rows pushes(float[] scratch, int layer) {
    return new Rows(scratch, pushes, shapes.get(layer).outputs());
  }

  /** For each token of the chunk, a coefficient for each token up to it. */
  Rows coefficients(float[] scratch) {
    return new Rows(scratch, coefficients, chunk);
  }

  /** Where the factors on the weights are, one for each token of a call. */
  int kept() {
    return kept;
  }

  /** Where the factors on the velocities are. */
  int pushed() {
    return kept + chunk;
  }

  /** Where the numbers of the schedule are. */
  int schedule() {
    return schedule;
  }

  /** Brings what a head remembers of the first {@code count} tokens of its chunk to scratch. */
  void load(Place place, int count) {
    if (count > 0) {
      move(place, 0, count, true);
    }
  }

  /** Keeps what tokens {@code [from, to)} of a chunk leave to those that follow. */
  void save(Place place, int from, int to) {
    if (to > 0) {
      move(place, from, to, false);
    }
  }

  private void move(Place place, int from, int to, boolean loading) {
    float[] s = place.scratch();
    long at = place.at() + remembered;
    copy(place, at, s, schedule, scheduleFloats, loading);
    at += (long) Float.BYTES * scheduleFloats;
    for (int layer = 0; layer < shapes.size(); layer++) {
      for (Rows rows : new Rows[] {inputs(s, layer), gradients(s, layer)}) {
        int floats = (to - from) * rows.stride();
        long byteFrom = at + (long) Float.BYTES * from * rows.stride();
        copy(place, byteFrom, s, rows.start(from), floats, loading);
        at += Float.BYTES * (chunk - 1L) * rows.stride();
      }
    }
  }

  private static void copy(
      Place place, long at, float[] scratch, int scratchAt, int floats, boolean loading) {
    if (loading) {
      MemorySegment.copy(place.state(), JAVA_FLOAT_UNALIGNED, at, scratch, scratchAt, floats);
    } else {
      MemorySegment.copy(scratch, scratchAt, place.state(), JAVA_FLOAT_UNALIGNED, at, floats);
    }
  }
}
