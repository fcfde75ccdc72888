package dev.apus.core.tokenizer;

/** Turns one pre-token into ids; shared by all threads. */
interface TokenModel {

  void tokenize(String text, Ids ids);

  static TokenModel read(TokenizerFile file, Vocabulary vocabulary) {
    return switch (file.model().type()) {
      case "BPE" -> BytePairModel.read(file, vocabulary);
      case "Unigram" -> UnigramModel.read(file, vocabulary);
      case "WordPiece" -> WordPieceModel.read(file, vocabulary);
      default -> throw file.model().unsupported("BPE", "Unigram", "WordPiece");
    };
  }
}
