package dev.apus.core.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** Cuts a text into the pieces that the model sees one by one. */
interface PreTokenizer {

  /**
   * A piece of text.
   *
   * @param first whether it begins the whole text
   */
  record Piece(String text, boolean first) {}

  /** Adds the pieces of {@code piece}, none of them empty. */
  void split(Piece piece, List<Piece> pieces);

  static PreTokenizer read(Section section) {
    return switch (section.type()) {
      case "Sequence" ->
          sequence(section.only("type", "pretokenizers").each("pretokenizers", PreTokenizer::read));
      case "ByteLevel" -> byteLevel(section);
      case "Split" -> SplitPreTokenizer.read(section);
      case "Digits" -> digits(section);
      case "Metaspace" -> Metaspace.read(section);
      case "BertPreTokenizer" -> {
        section.only("type");
        yield SplitPreTokenizer.words(section.where("type"), KnownPatterns.BERT_WORD);
      }
      case "Punctuation" -> SplitPreTokenizer.punctuation(section);
      case "Whitespace" -> {
        section.only("type");
        yield SplitPreTokenizer.wordsAndMarks();
      }
      case "WhitespaceSplit" -> {
        section.only("type");
        yield SplitPreTokenizer.words(section.where("type"), "\\S+");
      }
      case "CharDelimiterSplit" -> SplitPreTokenizer.delimiter(section);
      case "FixedLength" -> fixedLength(section);
      default ->
          throw section.unsupported(
              "Sequence",
              "ByteLevel",
              "Split",
              "Digits",
              "Punctuation",
              "Metaspace",
              "BertPreTokenizer",
              "Whitespace",
              "WhitespaceSplit",
              "CharDelimiterSplit",
              "FixedLength");
    };
  }

  static PreTokenizer sequence(List<PreTokenizer> steps) {
    return (piece, pieces) -> {
      List<Piece> current = List.of(piece);
      for (PreTokenizer step : steps) {
        List<Piece> cut = new ArrayList<>();
        for (Piece each : current) {
          step.split(each, cut);
        }
        current = cut;
      }
      pieces.addAll(current);
    };
  }

  private static PreTokenizer byteLevel(Section section) {
    section.only("type", "add_prefix_space", "trim_offsets", "use_regex");
    boolean prefix = section.flag("add_prefix_space", true);
    List<PreTokenizer> steps = new ArrayList<>();
    if (prefix) {
      steps.add(
          (piece, pieces) ->
              pieces.add(
                  piece.text().startsWith(" ")
                      ? piece
                      : new Piece(" " + piece.text(), piece.first())));
    }
    if (section.flag("use_regex", true)) {
      steps.add(SplitPreTokenizer.isolating(section.where("use_regex"), KnownPatterns.GPT2));
    }
    steps.add(bytes());
    return sequence(steps);
  }

  /** Spells each piece in the alphabet of bytes. */
  static PreTokenizer bytes() {
    return (piece, pieces) ->
        pieces.add(new Piece(ByteAlphabet.spell(piece.text()), piece.first()));
  }

  private static PreTokenizer digits(Section section) {
    section.only("type", "individual_digits");
    String pattern = section.flag("individual_digits", false) ? "\\p{N}" : "\\p{N}+";
    return SplitPreTokenizer.isolating(section.where("type"), pattern);
  }

  private static PreTokenizer fixedLength(Section section) {
    int length = section.only("type", "length").number("length", 1, Integer.MAX_VALUE);
    return (piece, pieces) -> {
      String text = piece.text();
      for (int at = 0, end; at < text.length(); at = end) {
        end = at;
        for (int i = 0; i < length && end < text.length(); i++) {
          end = text.offsetByCodePoints(end, 1);
        }
        pieces.add(new Piece(text.substring(at, end), piece.first() && at == 0));
      }
    };
  }
}
