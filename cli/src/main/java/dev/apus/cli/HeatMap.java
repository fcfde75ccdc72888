package dev.apus.cli;

import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/** A table of numbers as an SVG drawing, in which large numbers are dark. */
final class HeatMap {

  private static final int CELL = 14;
  private static final int LABELS = 110;
  private static final int TOP = 64;
  private static final int MARGIN = 24;

  /** Columns between two that are labelled. */
  private static final int LABELLED = 8;

  private final StringWriter text = new StringWriter();
  private final XMLStreamWriter xml;

  private HeatMap() throws XMLStreamException {
    xml = XMLOutputFactory.newFactory().createXMLStreamWriter(text);
  }

  /**
   * Draws a table.
   *
   * @param columns what its columns are
   * @param labels a label for each row
   * @param values from 0 on; a row may be shorter than others
   * @param darkest the value from which on a cell is as dark as it gets
   */
  static String draw(
      String title, String columns, List<String> labels, List<double[]> values, double darkest) {
    try {
      HeatMap map = new HeatMap();
      map.drawAll(title, columns, labels, values, darkest);
      return map.text + "\n";
    } catch (XMLStreamException e) {
      throw new IllegalStateException(e);
    }
  }

  private void drawAll(
      String title, String columns, List<String> labels, List<double[]> values, double darkest)
      throws XMLStreamException {
    int most = values.stream().mapToInt(row -> row.length).max().orElse(0);
    int width = Math.max(LABELS + most * CELL + MARGIN, 480);
    int height = TOP + labels.size() * CELL + MARGIN;
    xml.writeStartElement("svg");
    xml.writeDefaultNamespace("http://www.w3.org/2000/svg");
    attributes("viewBox", "0 0 " + width + " " + height, "width", width, "height", height);
    attributes("font-family", "Helvetica, Arial, sans-serif", "font-size", 11);
    element("title", title);
    element("rect", null, "width", width, "height", height, "fill", "white");
    element("text", title, "x", MARGIN, "y", 22, "font-size", 14, "font-weight", "bold");
    element("text", columns, "x", LABELS, "y", 42);
    for (int col = 0; col < most; col += LABELLED) {
      element("text", String.valueOf(col), "x", LABELS + col * CELL, "y", TOP - 6, "font-size", 9);
    }
    for (int row = 0; row < labels.size(); row++) {
      int y = TOP + row * CELL;
      String label = labels.get(row);
      element("text", label, "x", LABELS - 6, "y", y + CELL - 3, "text-anchor", "end");
      double[] cells = values.get(row);
      for (int col = 0; col < cells.length; col++) {
        cell(LABELS + col * CELL, y, cells[col], Math.min(1, cells[col] / darkest));
      }
    }
    xml.writeCharacters("\n");
    xml.writeEndElement();
    xml.close();
  }

  /** A cell that says its value where a pointer rests on it. */
  private void cell(int x, int y, double value, double dark) throws XMLStreamException {
    // From nearly white to the blue that most colour-blind eyes tell from it.
    String fill =
        String.format(
            Locale.ROOT,
            "#%02x%02x%02x",
            Math.round(245 - 245 * dark),
            Math.round(247 - 133 * dark),
            Math.round(250 - 72 * dark));
    xml.writeCharacters("\n  ");
    xml.writeStartElement("rect");
    attributes("x", x, "y", y, "width", CELL - 1, "height", CELL - 1, "fill", fill);
    xml.writeStartElement("title");
    xml.writeCharacters(String.format(Locale.ROOT, "%.4g", value));
    xml.writeEndElement();
    xml.writeEndElement();
  }

  private void element(String name, String content, Object... attributes)
      throws XMLStreamException {
    xml.writeCharacters("\n  ");
    xml.writeStartElement(name);
    attributes(attributes);
    if (content != null) {
      xml.writeCharacters(content);
    }
    xml.writeEndElement();
  }

  private void attributes(Object... pairs) throws XMLStreamException {
    for (int i = 0; i < pairs.length; i += 2) {
      xml.writeAttribute(pairs[i].toString(), pairs[i + 1].toString());
    }
  }
}
