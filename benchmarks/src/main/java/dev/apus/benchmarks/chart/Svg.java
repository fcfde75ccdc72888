package dev.apus.benchmarks.chart;

import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/** An SVG document that is being drawn; coordinates are pixels from the upper left corner. */
final class Svg {

  /** Where a text lies in relation to its point. */
  enum Anchor {
    START,
    MIDDLE,
    END
  }

  /** A point of the drawing. */
  record Point(double x, double y) {}

  private static final String[] COLOURS = {
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#555555"
  };

  private final StringWriter text = new StringWriter();
  private final XMLStreamWriter xml;

  Svg(int width, int height, String title) {
    try {
      xml = XMLOutputFactory.newFactory().createXMLStreamWriter(text);
      xml.writeStartElement("svg");
      xml.writeDefaultNamespace("http://www.w3.org/2000/svg");
      xml.writeAttribute("viewBox", "0 0 " + width + " " + height);
      xml.writeAttribute("width", String.valueOf(width));
      xml.writeAttribute("height", String.valueOf(height));
      xml.writeAttribute("font-family", "Helvetica, Arial, sans-serif");
      xml.writeAttribute("font-size", "12");
      element("title", title);
    } catch (XMLStreamException e) {
      throw new IllegalStateException(e);
    }
    rectangle(0, 0, width, height, "white");
    element(
        "text",
        title,
        "x",
        number(width / 2.0),
        "y",
        "24",
        "text-anchor",
        "middle",
        "font-size",
        "15",
        "font-weight",
        "bold");
  }

  /** The colour of the series with this index; they can be told apart by most colour-blind eyes. */
  static String colour(int series) {
    return COLOURS[series % COLOURS.length];
  }

  void rectangle(double x, double y, double width, double height, String fill) {
    element(
        "rect",
        null,
        "x",
        number(x),
        "y",
        number(y),
        "width",
        number(width),
        "height",
        number(height),
        "fill",
        fill);
  }

  void line(Point from, Point to, String stroke) {
    element(
        "line",
        null,
        "x1",
        number(from.x),
        "y1",
        number(from.y),
        "x2",
        number(to.x),
        "y2",
        number(to.y),
        "stroke",
        stroke);
  }

  /** A line through points, with a dot on each. */
  void path(List<Point> points, String stroke) {
    String through =
        points.stream()
            .map(point -> number(point.x) + "," + number(point.y))
            .collect(Collectors.joining(" "));
    element(
        "polyline", null, "points", through, "fill", "none", "stroke", stroke, "stroke-width", "2");
    for (Point point : points) {
      element(
          "circle", null, "cx", number(point.x), "cy", number(point.y), "r", "3", "fill", stroke);
    }
  }

  void text(Point at, Anchor anchor, String words) {
    element(
        "text",
        words,
        "x",
        number(at.x),
        "y",
        number(at.y),
        "text-anchor",
        anchor.name().toLowerCase(Locale.ROOT));
  }

  /** A text that is read from below, centred on a point. */
  void textUpwards(Point at, String words) {
    String turned = "translate(" + number(at.x) + " " + number(at.y) + ") rotate(-90)";
    element("text", words, "transform", turned, "text-anchor", "middle");
  }

  private void element(String name, String content, String... attributes) {
    try {
      xml.writeCharacters("\n  ");
      if (content == null) {
        xml.writeEmptyElement(name);
      } else {
        xml.writeStartElement(name);
      }
      for (int i = 0; i < attributes.length; i += 2) {
        xml.writeAttribute(attributes[i], attributes[i + 1]);
      }
      if (content != null) {
        xml.writeCharacters(content);
        xml.writeEndElement();
      }
    } catch (XMLStreamException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  /** The finished document. */
  String finish() {
    try {
      xml.writeCharacters("\n");
      xml.writeEndElement();
      xml.writeEndDocument();
      xml.close();
    } catch (XMLStreamException e) {
      throw new IllegalStateException(e);
    }
    return text + "\n";
  }
}
