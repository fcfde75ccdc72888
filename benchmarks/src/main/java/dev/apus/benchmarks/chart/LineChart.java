package dev.apus.benchmarks.chart;

import dev.apus.benchmarks.chart.Svg.Point;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/**
 * Lines over two logarithmic axes, so that a power of the one value in the other is a straight
 * line.
 *
 * @param across the axis from left to right
 * @param upwards the axis from below
 */
public record LineChart(String title, Scale across, Scale upwards, List<Series> series) {

  /**
   * An axis that reaches as far as its values do.
   *
   * @param base each tick is this many times the one before
   * @param label how a tick is written
   */
  public record Scale(String title, int base, DoubleFunction<String> label) {}

  /** A value, and where it belongs; both above 0. */
  public record Value(double x, double y) {}

  /** A line. */
  public record Series(String name, List<Value> values) {}

  /** The chart as an SVG document. */
  public String draw() {
    Axis x = axis(across, Value::x);
    Frame frame =
        new Frame(title, series.stream().map(Series::name).toList(), axis(upwards, Value::y));
    for (double tick : x.ticks()) {
      frame.vertical(Frame.x(x.place(tick)));
      frame.below(Frame.x(x.place(tick)), x.label().apply(tick));
    }
    frame.titleBelow(x.title());
    for (int s = 0; s < series.size(); s++) {
      List<Point> points =
          series.get(s).values().stream()
              .map(value -> new Point(Frame.x(x.place(value.x())), frame.y(value.y())))
              .toList();
      frame.svg().path(points, Svg.colour(s));
    }
    return frame.svg().finish();
  }

  private Axis axis(Scale scale, ToDoubleFunction<Value> part) {
    double[] values =
        series.stream().flatMap(one -> one.values().stream()).mapToDouble(part).sorted().toArray();
    if (values.length == 0) {
      throw new IllegalArgumentException(title + ": a chart without values");
    }
    return Axis.powers(
        scale.title(), scale.base(), values[0], values[values.length - 1], scale.label());
  }
}
