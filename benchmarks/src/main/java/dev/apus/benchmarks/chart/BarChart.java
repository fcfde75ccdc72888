package dev.apus.benchmarks.chart;

import dev.apus.benchmarks.chart.Svg.Anchor;
import dev.apus.benchmarks.chart.Svg.Point;
import java.util.List;
import java.util.function.DoubleFunction;

/**
 * Bars in groups: one group for each category, one bar in it for each series.
 *
 * @param unit of the values, which begin at zero
 * @param label how the value of a bar is written
 */
public record BarChart(
    String title,
    String unit,
    List<String> categories,
    List<Series> series,
    DoubleFunction<String> label) {

  private static final double GAP = 0.25;

  /**
   * One bar, and how far its value varied; a missing bar is null.
   *
   * @param least the lower end of the whisker
   * @param most its upper end
   */
  public record Bar(double value, double least, double most) {}

  /**
   * Bars of one colour.
   *
   * @param bars one for each category; null where there is none
   */
  public record Series(String name, List<Bar> bars) {}

  /** The chart as an SVG document. */
  public String draw() {
    double largest =
        series.stream()
            .flatMap(one -> one.bars().stream())
            .filter(bar -> bar != null)
            .mapToDouble(Bar::most)
            .max()
            .orElse(1);
    Frame frame =
        new Frame(
            title, series.stream().map(Series::name).toList(), Axis.fromZero(unit, largest * 1.05));
    double group = 1.0 / categories.size();
    double width = group * (1 - GAP) / series.size();
    for (int c = 0; c < categories.size(); c++) {
      frame.below(Frame.x((c + 0.5) * group), categories.get(c));
      for (int s = 0; s < series.size(); s++) {
        Bar bar = series.get(s).bars().get(c);
        if (bar != null) {
          double left = (c + GAP / 2) * group + s * width;
          draw(frame, bar, left, width, Svg.colour(s));
        }
      }
    }
    return frame.svg().finish();
  }

  private void draw(Frame frame, Bar bar, double left, double width, String colour) {
    double x = Frame.x(left);
    double pixels = width * Frame.areaWidth();
    double top = frame.y(bar.value());
    frame.svg().rectangle(x + 1, top, pixels - 2, frame.y(0) - top, colour);
    Point low = new Point(x + pixels / 2, frame.y(bar.least()));
    Point high = new Point(x + pixels / 2, frame.y(bar.most()));
    frame.svg().line(low, high, "black");
    frame.svg().text(new Point(high.x(), high.y() - 5), Anchor.MIDDLE, label.apply(bar.value()));
  }
}
