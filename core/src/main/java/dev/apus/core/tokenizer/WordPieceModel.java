package dev.apus.core.tokenizer;

/**
 * WordPiece: the longest token that begins a word, then the longest continuation, to its end.
 *
 * <p>Devlin et al., <i>BERT</i>, NAACL 2019.
 */
final class WordPieceModel implements TokenModel {

  private final Vocabulary vocabulary;
  private final String continuation;
  private final int unknownId;
  private final int longestWord;
  private final int longestToken;

  WordPieceModel(Vocabulary vocabulary, String continuation, int unknownId, int longestWord) {
    this.vocabulary = vocabulary;
    this.continuation = continuation;
    this.unknownId = unknownId;
    this.longestWord = longestWord;
    this.longestToken =
        vocabulary.modelIds().entrySet().stream()
            .filter(token -> !vocabulary.isSpecial(token.getValue()))
            .mapToInt(token -> token.getKey().length())
            .max()
            .orElse(0);
  }

  static WordPieceModel read(TokenizerFile file, Vocabulary vocabulary) {
    Section model =
        file.model()
            .only("type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word");
    int unknownId = vocabulary.id(model.text("unk_token"));
    if (unknownId == Vocabulary.NONE) {
      throw model.wrong("unk_token", "a token of the vocabulary");
    }
    return new WordPieceModel(
        vocabulary,
        model.text("continuing_subword_prefix"),
        unknownId,
        model.number("max_input_chars_per_word", 1, Integer.MAX_VALUE));
  }

  @Override
  public void tokenize(String text, Ids out) {
    Ids word = new Ids();
    out.worked(1);
    if (text.codePointCount(0, text.length()) <= longestWord && cut(text, word)) {
      out.add(word.toArray());
    } else {
      out.add(unknownId);
    }
    out.worked(word.steps());
  }

  private int id(String token) {
    int id = vocabulary.modelIds().getOrDefault(token, Vocabulary.NONE);
    return id == Vocabulary.NONE || vocabulary.isSpecial(id) ? Vocabulary.NONE : id;
  }

  /** Whether the whole word has tokens. */
  private boolean cut(String text, Ids word) {
    int at = 0;
    while (at < text.length()) {
      String prefix = at == 0 ? "" : continuation;
      int end = Math.min(text.length(), at + longestToken);
      word.worked(end - at);
      int id = Vocabulary.NONE;
      while (end > at && (id = id(prefix + text.substring(at, end))) == Vocabulary.NONE) {
        end--;
      }
      if (end == at) {
        return false;
      }
      word.add(id);
      at = end;
    }
    return true;
  }
}
