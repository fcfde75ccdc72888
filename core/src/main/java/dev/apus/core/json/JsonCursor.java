package dev.apus.core.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/**
 * Walks over the tokens of one JSON text.
 *
 * <p>Stricter than the parser under it: the bytes are UTF-8 and nothing else (no byte order mark,
 * no guessing of encodings), strings hold whole characters, nesting is limited, and one document is
 * all there is. Laxer in one thing: {@code NaN} and {@code Infinity} are numbers with a fraction,
 * as Python writes them. Duplicate keys are for the caller to notice, who keeps the keys anyway.
 */
public final class JsonCursor {

  private static final String END = "the text ends here, unfinished";

  private final JsonParser parser;
  private final int deepest;
  private int depth;

  /**
   * @param deepest how deeply objects and arrays may be nested
   * @throws JsonFault if the text is not UTF-8
   */
  public JsonCursor(byte[] json, int deepest) throws JsonFault {
    requireUtf8(json);
    this.deepest = deepest;
    JsonFactory factory =
        JsonFactory.builder()
            .configure(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS, true)
            .configure(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES, false)
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(deepest + 1)
                    .maxNameLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();
    Reader text = new InputStreamReader(new ByteArrayInputStream(json), StandardCharsets.UTF_8);
    try {
      this.parser = factory.createParser(text);
    } catch (IOException e) {
      throw translate(e);
    }
  }

  /**
   * Moves to the next token.
   *
   * @throws JsonFault at the end of the text, or where it is malformed
   */
  public JsonToken next() throws JsonFault {
    JsonToken token = advance();
    if (token == null) {
      throw fault(END);
    }
    if (token.isStructStart() && ++depth > deepest) {
      throw fault("nested more than " + deepest + " deep");
    }
    if (token.isStructEnd()) {
      depth--;
    }
    return token;
  }

  /** Makes sure that nothing but white space is left. */
  public void end() throws JsonFault {
    if (advance() != null) {
      throw fault("something follows the end of the document");
    }
  }

  /** The current key or string. */
  public String text() throws JsonFault {
    String text;
    try {
      text = parser.getText();
    } catch (IOException e) {
      throw translate(e);
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw fault("half a character (a lone surrogate) in " + Printable.value(text));
      }
    }
    return text;
  }

  /** The current number without a fraction: a Long, or a BigInteger if it does not fit. */
  public Number integer() throws JsonFault {
    try {
      Number value = parser.getNumberValue();
      return value instanceof BigInteger ? value : value.longValue();
    } catch (IOException e) {
      throw translate(e);
    }
  }

  /** The current number with a fraction: a Double, or a BigDecimal if it is too large for one. */
  public Number real() throws JsonFault {
    try {
      double value = parser.getDoubleValue();
      boolean overflowed = Double.isInfinite(value) && !parser.isNaN();
      return overflowed ? (Number) new BigDecimal(parser.getText()) : value;
    } catch (NumberFormatException e) {
      throw fault("a number that is too large for any use");
    } catch (IOException e) {
      throw translate(e);
    }
  }

  /** The line of the current token, from 1. */
  public int line() {
    return parser.currentTokenLocation().getLineNr();
  }

  /** A complaint about the current token. */
  public JsonFault fault(String message) {
    JsonLocation at = parser.currentTokenLocation();
    return new JsonFault(at.getLineNr(), Math.max(at.getColumnNr(), 1), message, null);
  }

  private JsonToken advance() throws JsonFault {
    try {
      return parser.nextToken();
    } catch (IOException e) {
      throw translate(e);
    }
  }

  private static JsonFault translate(IOException e) {
    JsonLocation at =
        e instanceof JsonProcessingException broken && broken.getLocation() != null
            ? broken.getLocation()
            : JsonLocation.NA;
    String message =
        switch (e) {
          case JsonEOFException end -> END;
          case JsonProcessingException broken -> "not JSON: " + broken.getOriginalMessage();
          default -> "cannot be read: " + e.getMessage();
        };
    return new JsonFault(
        Math.max(at.getLineNr(), 1), Math.max(at.getColumnNr(), 1), Printable.name(message), e);
  }

  private static void requireUtf8(byte[] json) throws JsonFault {
    if (json.length >= 3
        && json[0] == (byte) 0xEF
        && json[1] == (byte) 0xBB
        && json[2] == (byte) 0xBF) {
      throw new JsonFault(1, 1, "starts with a byte order mark; save it without one", null);
    }
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer bytes = ByteBuffer.wrap(json);
    CharBuffer scratch = CharBuffer.allocate(8192);
    CoderResult result;
    do {
      scratch.clear();
      result = decoder.decode(bytes, scratch, true);
    } while (result.isOverflow());
    if (result.isError()) {
      int at = bytes.position();
      throw new JsonFault(line(json, at), column(json, at), "not UTF-8 at byte " + at, null);
    }
  }

  private static int line(byte[] json, int at) {
    int line = 1;
    for (int i = 0; i < at; i++) {
      line += json[i] == '\n' ? 1 : 0;
    }
    return line;
  }

  private static int column(byte[] json, int at) {
    int from = at;
    while (from > 0 && json[from - 1] != '\n') {
      from--;
    }
    return at - from + 1;
  }
}
