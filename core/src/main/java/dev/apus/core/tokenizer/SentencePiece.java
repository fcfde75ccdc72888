package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A model of the library SentencePiece, whatever file it comes from.
 *
 * <p>Kudo and Richardson, <i>SentencePiece</i>, EMNLP 2018.
 *
 * @param pieces the pieces, their ids in order
 * @param types the types of the pieces
 * @param unknownSurface what the unknown piece is decoded to, or null if to nothing
 */
record SentencePiece(
    String name,
    Kind kind,
    List<Piece> pieces,
    List<PieceType> types,
    Spaces spaces,
    Charsmap charsmap,
    String unknownSurface) {

  static final char SPACE = '▁';

  /** How a normalized text is cut. */
  enum Kind {
    UNIGRAM,
    BYTE_PAIRS,
    CHARACTERS
  }

  /**
   * What becomes of white space.
   *
   * @param prefix whether every text gets a space before it
   * @param suffix whether that space comes after it instead
   * @param merged whether runs of spaces are one space, and none begins or ends a text
   * @param escaped whether spaces are spelled as {@link #SPACE}
   */
  record Spaces(boolean prefix, boolean suffix, boolean merged, boolean escaped) {}

  /** Tokens around texts, and tokens that are found before the model sees a text. */
  record Surroundings(
      List<AddedToken> added,
      TemplateReader template,
      IdReader beginning,
      IdReader end,
      IdReader mask) {}

  /** Says a token once the vocabulary is known. */
  interface IdReader {
    int of(Vocabulary vocabulary);
  }

  /** Says the tokens around a text once the vocabulary is known. */
  interface TemplateReader {
    Template of(Vocabulary vocabulary);
  }

  /** The tokenizer of this model. Special tokens come from no text unless they are asked for. */
  Tokenizer tokenizer(Surroundings around) {
    Vocabulary vocabulary = Vocabulary.of(name, pieces, around.added(), ofType(PieceType.UNUSED));
    UserDefinedPieces own =
        new UserDefinedPieces(
            pieces.stream()
                .filter(piece -> types.get(piece.id()) == PieceType.USER_DEFINED)
                .filter(piece -> !vocabulary.isSpecial(piece.id()))
                .toList());
    ByteTokens bytes =
        types.contains(PieceType.BYTE) ? new ByteTokens(vocabulary.modelIds()) : null;
    TokenModel model =
        kind == Kind.UNIGRAM
            ? unigram(vocabulary, bytes)
            : new JoiningModel(this, vocabulary, own, bytes);
    return new ComposedTokenizer(
        new ComposedTokenizer.Parts(
            vocabulary,
            around.added(),
            new SentencePieceNormalizer(spaces, charsmap, own),
            (piece, all) -> all.add(piece),
            model,
            around.template().of(vocabulary),
            next -> new SentencePieceSink(next, this),
            around.beginning().of(vocabulary),
            around.end().of(vocabulary),
            around.mask().of(vocabulary)));
  }

  /** User-defined pieces get a score that makes them likelier than whatever else spells them. */
  private UnigramModel unigram(Vocabulary vocabulary, ByteTokens bytes) {
    float least = Float.MAX_VALUE;
    float greatest = Float.MIN_NORMAL;
    for (Piece piece : pieces) {
      if (types.get(piece.id()) == PieceType.NORMAL) {
        least = Math.min(least, (float) piece.score());
        greatest = Math.max(greatest, (float) piece.score());
      }
    }
    List<Piece> producible = new ArrayList<>();
    for (Piece piece : pieces) {
      PieceType type = types.get(piece.id());
      if (!vocabulary.isSpecial(piece.id()) && type == PieceType.NORMAL) {
        producible.add(piece);
      } else if (!vocabulary.isSpecial(piece.id()) && type == PieceType.USER_DEFINED) {
        int length = piece.text().getBytes(StandardCharsets.UTF_8).length;
        producible.add(new Piece(piece.text(), piece.id(), 0));
      }
    }
    return new UnigramModel(producible, least, types.indexOf(PieceType.UNKNOWN), bytes, true);
  }

  /** The ids of the pieces of a type. */
  BitSet ofType(PieceType type) {
    BitSet ids = new BitSet();
    for (int id = 0; id < types.size(); id++) {
      ids.set(id, types.get(id) == type);
    }
    return ids;
  }

  String unknownPiece() {
    int id = types.indexOf(PieceType.UNKNOWN);
    return id < 0 ? null : pieces.get(id).text();
  }
}
