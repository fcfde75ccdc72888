package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.SentencePiece.Kind;
import dev.apus.core.tokenizer.SentencePiece.Spaces;
import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Reads the {@code .model} files of SentencePiece, which are one message of Protocol Buffers. */
final class SentencePieceFile {

  private static final String UNKNOWN_SURFACE = " \u2047 ";

  private final String name;
  private final List<Piece> pieces = new ArrayList<>();
  private final List<PieceType> types = new ArrayList<>();
  private Kind kind = Kind.UNIGRAM;
  private boolean byteFallback;
  private boolean suffix;
  private String unknownSurface = UNKNOWN_SURFACE;
  private Charsmap charsmap = Charsmap.NONE;
  private boolean prefix = true;
  private boolean merged = true;
  private boolean escaped = true;

  private SentencePieceFile(String name) {
    this.name = name;
  }

  static SentencePiece parse(String name, byte[] bytes) {
    SentencePieceFile file = new SentencePieceFile(name);
    Protobuf message = Protobuf.of(name, bytes);
    for (int field = message.next(); field != 0; field = message.next()) {
      switch (field) {
        case 1 -> file.piece(message.message());
        case 2 -> file.training(message.message());
        case 3 -> file.normalization(message.message());
        case 5 -> file.denormalization(message.message());
        default -> message.skip();
      }
    }
    file.check();
    return new SentencePiece(
        name,
        file.kind,
        file.pieces,
        file.types,
        new Spaces(file.prefix, file.suffix, file.merged, file.escaped),
        file.charsmap,
        file.unknownSurface);
  }

  private void piece(Protobuf message) {
    String text = "";
    float score = 0;
    PieceType type = PieceType.NORMAL;
    for (int field = message.next(); field != 0; field = message.next()) {
      switch (field) {
        case 1 -> text = message.text();
        case 2 -> score = message.real();
        case 3 -> type = PieceType.of(message.number());
        default -> message.skip();
      }
    }
    if (text.isEmpty() || Float.isNaN(score)) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: piece %d is %s with the score %s; needed: a text and a number",
              name,
              pieces.size(),
              Vocabulary.quoted(text),
              score));
    }
    if (type == PieceType.BYTE && ByteTokens.value(text) < 0) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: piece %d is the byte %s; needed: \"<0x00>\" to \"<0xFF>\"",
              name,
              pieces.size(),
              Vocabulary.quoted(text)));
    }
    pieces.add(new Piece(text, pieces.size(), score));
    types.add(type);
  }

  private void training(Protobuf message) {
    for (int field = message.next(); field != 0; field = message.next()) {
      switch (field) {
        case 3 -> kind = kind(message.number());
        case 24 -> suffix = message.flag();
        case 35 -> byteFallback = message.flag();
        case 44 -> unknownSurface = message.text();
        default -> message.skip();
      }
    }
  }

  private Kind kind(long number) {
    return switch ((int) number) {
      case 1 -> Kind.UNIGRAM;
      case 2 -> Kind.BYTE_PAIRS;
      case 4 -> Kind.CHARACTERS;
      default ->
          throw new TokenizerException(
              String.format(
                  Locale.ROOT,
                  "%s: trainer_spec.model_type=%d is not supported; supported: 1 (unigram), 2"
                      + " (byte pairs), 4 (characters)",
                  name,
                  number));
    };
  }

  private void normalization(Protobuf message) {
    for (int field = message.next(); field != 0; field = message.next()) {
      switch (field) {
        case 2 -> charsmap = Charsmap.of(name + ": precompiled_charsmap", message.bytes());
        case 3 -> prefix = message.flag();
        case 4 -> merged = message.flag();
        case 5 -> escaped = message.flag();
        default -> message.skip();
      }
    }
  }

  private void denormalization(Protobuf message) {
    for (int field = message.next(); field != 0; field = message.next()) {
      if (field == 2 && message.bytes().length > 0) {
        throw new TokenizerException(
            name + ": denormalizer_spec has rules, which are not supported; needed: none");
      } else if (field != 2) {
        message.skip();
      }
    }
  }

  private void check() {
    long unknown = types.stream().filter(type -> type == PieceType.UNKNOWN).count();
    if (unknown != 1) {
      throw new TokenizerException(
          name + ": has " + unknown + " pieces for what is unknown; needed: one");
    }
    long bytes = types.stream().filter(type -> type == PieceType.BYTE).count();
    if (bytes != (byteFallback ? 256 : 0)) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: has %d pieces for bytes; needed: %d, since byte_fallback is %s",
              name,
              bytes,
              byteFallback ? 256 : 0,
              byteFallback));
    }
  }
}
