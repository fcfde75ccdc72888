package dev.apus.benchmarks.chart;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;

/**
 * Where values lie along one side of a chart, and which of them are written beside it.
 *
 * @param title what the values are, with their unit
 * @param logarithmic whether equal factors lie equally far apart, or equal differences
 * @param label how a value is written
 */
record Axis(
    String title,
    boolean logarithmic,
    double least,
    double most,
    List<Double> ticks,
    DoubleFunction<String> label) {

  private static final int MOST_TICKS = 6;

  /** From zero to at least {@code largest}, in steps of 1, 2 or 5 times a power of ten. */
  static Axis fromZero(String title, double largest) {
    double most = largest > 0 ? largest : 1;
    double power = Math.pow(10, Math.floor(Math.log10(most / MOST_TICKS)));
    double step = power;
    for (double factor : new double[] {1, 2, 5, 10}) {
      step = factor * power;
      if (most / step <= MOST_TICKS) {
        break;
      }
    }
    List<Double> ticks = new ArrayList<>();
    int steps = (int) Math.ceil(most / step);
    for (int i = 0; i <= steps; i++) {
      ticks.add(i * step);
    }
    return new Axis(title, false, 0, steps * step, List.copyOf(ticks), Axis::plain);
  }

  /** A multiple of a step in as few digits as it has. */
  private static String plain(double tick) {
    BigDecimal digits = BigDecimal.valueOf(tick).round(new MathContext(6));
    return digits.stripTrailingZeros().toPlainString();
  }

  /**
   * Powers of a base, from the last one below {@code least} to the first one above {@code most}.
   */
  static Axis powers(
      String title, int base, double least, double most, DoubleFunction<String> label) {
    if (!(least > 0) || !(most >= least)) {
      throw new IllegalArgumentException(
          title + ": a logarithmic axis from " + least + " to " + most);
    }
    int low = (int) Math.floor(exponent(least, base) + 1e-9);
    int high = Math.max(low + 1, (int) Math.ceil(exponent(most, base) - 1e-9));
    List<Double> ticks = new ArrayList<>();
    for (int i = low; i <= high; i++) {
      ticks.add(Math.pow(base, i));
    }
    return new Axis(title, true, ticks.getFirst(), ticks.getLast(), List.copyOf(ticks), label);
  }

  private static double exponent(double value, int base) {
    return Math.log(value) / Math.log(base);
  }

  /** The place of a value: 0 at the beginning of the axis, 1 at its end. */
  double place(double value) {
    return logarithmic
        ? Math.log(value / least) / Math.log(most / least)
        : (value - least) / (most - least);
  }
}
