package dev.apus.benchmarks.chart;

import java.io.StringReader;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

/** Reads what charts write. */
public final class Xml {

  private Xml() {}

  /**
   * The document.
   *
   * @throws org.xml.sax.SAXException if it is not well-formed
   */
  public static Document parse(String text) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(text)));
  }
}
