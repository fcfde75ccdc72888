package dev.apus.benchmarks.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.benchmarks.chart.BarChart.Bar;
import dev.apus.benchmarks.chart.LineChart.Scale;
import dev.apus.benchmarks.chart.LineChart.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class ChartsTest {

  private static List<String> texts(Document svg) {
    NodeList found = svg.getElementsByTagName("text");
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < found.getLength(); i++) {
      texts.add(found.item(i).getTextContent());
    }
    return texts;
  }

  private static double number(Document svg, String tag, int index, String attribute) {
    Element element = (Element) svg.getElementsByTagName(tag).item(index);
    return Double.parseDouble(element.getAttribute(attribute));
  }

  @Test
  void barsAreAsHighAsTheirValues() throws Exception {
    BarChart chart =
        new BarChart(
            "a < b",
            "per second",
            List.of("one", "two"),
            List.of(
                new BarChart.Series("x", List.of(new Bar(10, 9, 12), new Bar(40, 40, 40))),
                new BarChart.Series("y", Arrays.asList(null, new Bar(20, 20, 20)))),
            value -> String.valueOf(Math.round(value)));
    Document svg = Xml.parse(chart.draw());
    assertEquals("a < b", texts(svg).getFirst());
    // The page and two squares of the legend come first.
    assertEquals(3 + 3, svg.getElementsByTagName("rect").getLength());
    double unit = number(svg, "rect", 3, "height") / 10;
    assertEquals(40 * unit, number(svg, "rect", 4, "height"), 0.2);
    assertEquals(20 * unit, number(svg, "rect", 5, "height"), 0.2);
  }

  @Test
  void powersAreStraightLines() throws Exception {
    List<Value> squares = List.of(new Value(2, 4), new Value(4, 16), new Value(8, 64));
    LineChart chart =
        new LineChart(
            "squares",
            new Scale("x", 2, value -> "x" + Math.round(value)),
            new Scale("y", 4, value -> "y" + Math.round(value)),
            List.of(new LineChart.Series("x²", squares)));
    Document svg = Xml.parse(chart.draw());
    double middle = (number(svg, "circle", 0, "cx") + number(svg, "circle", 2, "cx")) / 2;
    assertEquals(middle, number(svg, "circle", 1, "cx"), 0.1);
    double height = (number(svg, "circle", 0, "cy") + number(svg, "circle", 2, "cy")) / 2;
    assertEquals(height, number(svg, "circle", 1, "cy"), 0.1);
    assertEquals(
        List.of("squares", "x²", "y4", "y16", "y64", "y", "x2", "x4", "x8", "x"), texts(svg));
  }

  private static List<String> labels(Axis axis) {
    return axis.ticks().stream().map(tick -> axis.label().apply(tick)).toList();
  }

  @Test
  void axesBeginAtZeroOrAtAPower() {
    assertEquals(List.of("0", "20", "40", "60", "80"), labels(Axis.fromZero("", 71)));
    assertEquals(List.of("0", "0.05", "0.1", "0.15", "0.2"), labels(Axis.fromZero("", 0.2)));
    assertEquals(List.of(1.0, 10.0, 100.0), Axis.powers("", 10, 3, 70, null).ticks());
    assertEquals(List.of(16.0, 64.0), Axis.powers("", 4, 16, 16, null).ticks());
    assertThrows(IllegalArgumentException.class, () -> Axis.powers("", 10, 0, 1, null));
  }
}
