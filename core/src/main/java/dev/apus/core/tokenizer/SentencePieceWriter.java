package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes the {@code .model} files of SentencePiece: {@link SentencePieceFile} the other way. */
final class SentencePieceWriter {

  private static final int VARINT = 0;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private SentencePieceWriter() {}

  /** The bytes of a file. */
  static byte[] bytes(SentencePiece model) {
    byte[] charsmap = model.charsmap().compiled();
    SentencePieceWriter message = new SentencePieceWriter();
    for (Piece piece : model.pieces()) {
      PieceType type = model.types().get(piece.id());
      SentencePieceWriter written =
          new SentencePieceWriter().text(1, piece.text()).real(2, (float) piece.score());
      message.message(1, type == PieceType.NORMAL ? written : written.number(3, type.number()));
    }
    boolean pairs = model.kind() == SentencePiece.Kind.BYTE_PAIRS;
    message.message(
        2,
        new SentencePieceWriter()
            .number(3, pairs ? 2 : 1)
            .number(4, model.pieces().size())
            .number(35, model.types().contains(PieceType.BYTE) ? 1 : 0)
            .number(40, model.types().indexOf(PieceType.UNKNOWN))
            .text(44, ""));
    SentencePiece.Spaces spaces = model.spaces();
    message.message(
        3,
        new SentencePieceWriter()
            .text(1, charsmap.length == 0 ? "identity" : "user_defined")
            .bytes(2, charsmap)
            .number(3, spaces.prefix() ? 1 : 0)
            .number(4, spaces.merged() ? 1 : 0)
            .number(5, 1));
    return message.out.toByteArray();
  }

  private void key(int field, int wire) {
    varint((long) field << 3 | wire);
  }

  private void varint(long value) {
    long rest = value;
    while (rest > 0x7F) {
      out.write((int) (rest & 0x7F | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  private SentencePieceWriter number(int field, long value) {
    key(field, VARINT);
    varint(value);
    return this;
  }

  private SentencePieceWriter real(int field, float value) {
    key(field, FIXED32);
    out.writeBytes(
        ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array());
    return this;
  }

  private SentencePieceWriter text(int field, String text) {
    return bytes(field, text.getBytes(StandardCharsets.UTF_8));
  }

  private SentencePieceWriter bytes(int field, byte[] bytes) {
    key(field, BYTES);
    varint(bytes.length);
    out.writeBytes(bytes);
    return this;
  }

  private void message(int field, SentencePieceWriter message) {
    bytes(field, message.out.toByteArray());
  }
}
