package dev.apus.core.tokenizer;

/** Turns one pre-token into ids; shared by all threads. */
interface TokenModel {

  void tokenize(String text, Ids ids);

  static TokenModel read(TokenizerFile file, Vocabulary vocabulary) {
    return switch (file.model().type()) {
      case "BPE" -> BytePairModel.read(file, vocabulary);
      case "Unigram" -> UnigramModel.read(file, vocabulary);
      case "WordPiece" -> WordPieceModel.read(file, vocabulary);
      case "WordLevel" -> words(file.model(), vocabulary);
      default -> throw file.model().unsupported("BPE", "Unigram", "WordPiece", "WordLevel");
    };
  }

  /** Every pre-token is a token, or unknown. */
  private static TokenModel words(Section model, Vocabulary vocabulary) {
    String unknown = model.only("type", "unk_token").text("unk_token");
    int unknownId = vocabulary.id(unknown);
    if (unknownId == Vocabulary.NONE) {
      throw model.wrong("unk_token", "a token of the vocabulary");
    }
    return (text, ids) -> {
      int id = vocabulary.modelIds().getOrDefault(text, unknownId);
      ids.add(vocabulary.isSpecial(id) ? unknownId : id);
    };
  }
}
