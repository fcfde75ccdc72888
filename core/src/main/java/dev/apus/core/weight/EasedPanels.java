package dev.apus.core.weight;

import dev.apus.kernels.matmul.Rounding;
import java.util.function.Supplier;

/**
 * Panels of a small model, which are packed as soon as the JVM has compiled what reads them.
 *
 * <p>What uses the Vector API is interpreted at first, and then makes an object of every vector:
 * many times slower than plain loops, for as long as compiling takes. So the scalar form computes
 * from the rows as stored, and for a part of the time the vector form does, which is what gets it
 * compiled. When it has become the faster of the two, it computes alone. Both give the same bits,
 * so a result does not tell who computed it.
 *
 * <p>One token and many take different ways through the vector form, and are eased in apart.
 */
final class EasedPanels implements Panels {

  private final StoredPanels scalar;
  private final StoredPanels vector;
  private final Ease one;
  private final Ease many;
  private final Supplier<Panels> packing;
  private volatile Panels packed;

  /** Two forms that compute from the same rows, and what packs these for the vector form. */
  EasedPanels(
      StoredPanels scalar, StoredPanels vector, Ease one, Ease many, Supplier<Panels> packing) {
    this.scalar = scalar;
    this.vector = vector;
    this.one = one;
    this.many = many;
    this.packing = packing;
  }

  @Override
  public long bytes() {
    return vector.bytes();
  }

  /** Nothing while two forms compute, each of which rounds in its own way. */
  @Override
  public Rounding rounding(int tokens) {
    return ease(tokens).isOver() ? vector.rounding(tokens) : null;
  }

  private Ease ease(int tokens) {
    return tokens == 1 ? one : many;
  }

  @Override
  public int scratchFloats(Inputs inputs) {
    return Math.max(scalar.scratchFloats(inputs), vector.scratchFloats(inputs));
  }

  @Override
  public void multiply(
      int fromPanel, int toPanel, Inputs inputs, float[] y, int yAt, int yStride, float[] scratch) {
    Ease ease = ease(inputs.tokens());
    if (ease.isOver()) {
      packed().multiply(fromPanel, toPanel, inputs, y, yAt, yStride, scratch);
      return;
    }
    double panelWork = (double) inputs.tokens() * vector.stored().cols();
    int panel = fromPanel;
    long start = System.nanoTime();
    if (ease.isVectorsTurn()) {
      vector.multiply(panel, panel + 1, inputs, y, yAt, yStride, scratch);
      long end = System.nanoTime();
      ease.vectorTook(end - start, panelWork);
      start = end;
      panel++;
    }
    if (panel < toPanel) {
      scalar.multiply(panel, toPanel, inputs, y, yAt, yStride, scratch);
      ease.scalarTook(System.nanoTime() - start, panelWork * (toPanel - panel));
    }
  }

  private Panels packed() {
    Panels there = packed;
    return there != null ? there : pack();
  }

  private synchronized Panels pack() {
    if (packed == null) {
      packed = packing.get();
    }
    return packed;
  }

  @Override
  public void read(int row, float[] values, int valuesAt) {
    vector.read(row, values, valuesAt);
  }
}
