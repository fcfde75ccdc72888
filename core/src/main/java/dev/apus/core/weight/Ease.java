package dev.apus.core.weight;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How far the vector form of a product is on its way from interpreted to compiled.
 *
 * <p>Its costs are compared with those of the scalar form as they come in. Updates may be lost
 * between threads; that only postpones the end.
 */
final class Ease {

  /** The vector form gets a nanosecond for so many of the scalar form's. */
  private static final int SHARE = 4;

  /** Wins in a row that are no accident. */
  private static final int WINS = 3;

  private final AtomicLong allowance;
  private volatile double scalarCost = Double.NaN;
  private volatile boolean over;
  private int wins;

  /**
   * @param patience how long the scalar form computes alone, in nanoseconds of all threads together
   */
  Ease(long patience) {
    this.allowance = new AtomicLong(-patience / SHARE);
  }

  /** Whether the vector form has become the faster one. */
  boolean isOver() {
    return over;
  }

  /** Whether the vector form may try, for as little as possible. */
  boolean isVectorsTurn() {
    return scalarCost >= 0 && allowance.get() >= 0;
  }

  /**
   * @param work how much was computed, in any unit
   */
  void scalarTook(long nanos, double work) {
    scalarCost = nanos / work;
    allowance.addAndGet(nanos / SHARE);
  }

  /**
   * @param work in the unit of {@link #scalarTook}
   */
  void vectorTook(long nanos, double work) {
    allowance.addAndGet(-nanos);
    wins = nanos / work < scalarCost ? wins + 1 : 0;
    over = over || wins >= WINS;
  }
}
