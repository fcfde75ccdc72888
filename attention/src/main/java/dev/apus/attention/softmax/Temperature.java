package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.tensor.Matrix;

/**
 * Queries that grow with the logarithm of their positions, so that attention stays as sharp when
 * there is more to attend to:
 *
 * <pre>
 *   q ← (1 + scale · log(1 + ⌊(position + 1) / floor⌋)) q
 * </pre>
 *
 * @param floor positions at whose multiples they grow
 * @see <a href="https://arxiv.org/abs/2501.19399">Scalable-Softmax</a>
 */
record Temperature(int floor, float scale) {

  static Temperature read(Config c) {
    var temperature = new Temperature(c.positive("floor"), c.real("scale"));
    if (!c.unread().isEmpty()) {
      throw c.error("%s is not a setting of temperature", c.unread().getFirst());
    }
    return temperature;
  }

  private float at(int position) {
    int steps = (int) ((position + 1L) / floor);
    return (float) StrictMath.log1p(steps) * scale + 1;
  }

  /** Scales the queries of all runs. */
  void apply(Pass pass, Batch<KeyValueCache> batch, Matrix q) {
    batch.eachPart(
        pass,
        1,
        (run, part, worker) -> {
          for (int row = run.from(); row < run.to(); row++) {
            float factor = at(run.position() + row - run.from());
            for (int i = q.at(row); i < q.at(row + 1) && factor != 1; i++) {
              q.data()[i] *= factor;
            }
          }
        });
  }
}
