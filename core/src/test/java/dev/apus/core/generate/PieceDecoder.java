package dev.apus.core.generate;

import dev.apus.core.tokenizer.TextDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Joins the bytes of each token's piece and gives out whole characters only. */
final class PieceDecoder implements TextDecoder {

  private final byte[][] pieces;
  private byte[] held = {};

  private PieceDecoder(byte[][] pieces) {
    this.pieces = pieces;
  }

  static PieceDecoder of(String... pieces) {
    return new PieceDecoder(
        Arrays.stream(pieces)
            .map(piece -> piece.getBytes(StandardCharsets.UTF_8))
            .toArray(byte[][]::new));
  }

  /** Token {@code i} is the byte {@code i}. */
  static PieceDecoder ofBytes() {
    byte[][] pieces = new byte[256][];
    Arrays.setAll(pieces, i -> new byte[] {(byte) i});
    return new PieceDecoder(pieces);
  }

  @Override
  public String append(int id) {
    byte[] piece = pieces[id];
    byte[] bytes = Arrays.copyOf(held, held.length + piece.length);
    System.arraycopy(piece, 0, bytes, held.length, piece.length);
    int whole = whole(bytes);
    held = Arrays.copyOfRange(bytes, whole, bytes.length);
    return new String(bytes, 0, whole, StandardCharsets.UTF_8);
  }

  @Override
  public String flush() {
    String text = held.length == 0 ? "" : "\ufffd";
    held = new byte[0];
    return text;
  }

  /** The length without a last character whose bytes are not all there. */
  private static int whole(byte[] bytes) {
    for (int back = 1; back <= Math.min(3, bytes.length); back++) {
      int lead = bytes[bytes.length - back] & 0xFF;
      if (lead >= 0xC0) {
        int needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        return needed > back ? bytes.length - back : bytes.length;
      }
      if (lead < 0x80) {
        return bytes.length;
      }
    }
    return bytes.length;
  }
}
