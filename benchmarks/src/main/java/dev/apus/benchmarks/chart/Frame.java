package dev.apus.benchmarks.chart;

import dev.apus.benchmarks.chart.Svg.Anchor;
import dev.apus.benchmarks.chart.Svg.Point;
import java.util.List;

/** What every chart has: a title, a legend, and the area between the axes. */
final class Frame {

  private static final int WIDTH = 760;
  private static final int HEIGHT = 440;
  private static final int LEFT = 84;
  private static final int RIGHT = 24;
  private static final int TOP = 72;
  private static final int BOTTOM = 62;
  private static final String GRID = "#dddddd";

  /** About what a letter takes of a line, at the size of a legend's text. */
  private static final double LETTER = 6.7;

  private final Svg svg;
  private final Axis upwards;

  Frame(String title, List<String> series, Axis upwards) {
    this.svg = new Svg(WIDTH, HEIGHT, title);
    this.upwards = upwards;
    legend(series);
    for (double tick : upwards.ticks()) {
      double y = y(tick);
      svg.line(new Point(LEFT, y), new Point(WIDTH - RIGHT, y), GRID);
      svg.text(new Point(LEFT - 8, y + 4), Anchor.END, upwards.label().apply(tick));
    }
    svg.textUpwards(new Point(18, TOP + areaHeight() / 2.0), upwards.title());
  }

  private void legend(List<String> series) {
    double x = LEFT;
    for (int i = 0; i < series.size(); i++) {
      svg.rectangle(x, 41, 12, 12, Svg.colour(i));
      svg.text(new Point(x + 17, 51), Anchor.START, series.get(i));
      x += 17 + LETTER * series.get(i).length() + 18;
    }
  }

  Svg svg() {
    return svg;
  }

  static int areaWidth() {
    return WIDTH - LEFT - RIGHT;
  }

  private static int areaHeight() {
    return HEIGHT - TOP - BOTTOM;
  }

  /** The pixel column at this part of the area's width. */
  static double x(double part) {
    return LEFT + part * areaWidth();
  }

  /** The pixel row of a value. */
  double y(double value) {
    return HEIGHT - BOTTOM - upwards.place(value) * areaHeight();
  }

  /** Writes words below the area. */
  void below(double x, String words) {
    svg.text(new Point(x, HEIGHT - BOTTOM + 20), Anchor.MIDDLE, words);
  }

  /** Writes the title of the axis below the area. */
  void titleBelow(String words) {
    svg.text(new Point(x(0.5), HEIGHT - 16), Anchor.MIDDLE, words);
  }

  /** Draws a line from the lower to the upper end of the area. */
  void vertical(double x) {
    svg.line(new Point(x, TOP), new Point(x, HEIGHT - BOTTOM), GRID);
  }
}
