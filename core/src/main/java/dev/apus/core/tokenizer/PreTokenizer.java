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
      default ->
          throw section.unsupported(
              "Sequence", "ByteLevel", "Split", "Digits", "Metaspace", "BertPreTokenizer");
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
}
