package dev.apus.core.tokenizer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Makes a tokenizer of a SentencePiece model and what the files beside it say of it. */
final class SentencePieceFolder {

  /** Classes of programs that put a first token before texts unless their config says no. */
  private static final Set<String> BEGIN =
      Set.of(
          "LlamaTokenizer",
          "CodeLlamaTokenizer",
          "GemmaTokenizer",
          "InternLMTokenizer",
          "InternLM2Tokenizer",
          "BaichuanTokenizer",
          "YiTokenizer");

  /** Classes that put a last token after texts. */
  private static final Set<String> END = Set.of("T5Tokenizer");

  /** Classes that give the pieces of a model other ids than the model does. */
  private static final Set<String> RENUMBERED =
      Set.of(
          "XLMRobertaTokenizer",
          "CamembertTokenizer",
          "MBartTokenizer",
          "MBart50Tokenizer",
          "NllbTokenizer",
          "PegasusTokenizer",
          "DebertaV2Tokenizer",
          "BarthezTokenizer");

  private SentencePieceFolder() {}

  static Tokenizer tokenizer(SentencePiece model, TokenizerConfig config) {
    String tokenizerClass = config.tokenizerClass();
    String kind = tokenizerClass == null ? "" : tokenizerClass.replaceFirst("Fast$", "");
    if (RENUMBERED.contains(kind)) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: tokenizer_class=%s gives its pieces other ids, which is not supported; needed: a"
                  + " tokenizer.json",
              model.name(),
              Vocabulary.quoted(tokenizerClass)));
    }
    boolean begins = config.flag("add_bos_token", BEGIN.contains(kind));
    boolean ends = config.flag("add_eos_token", END.contains(kind));
    return model.tokenizer(
        new SentencePiece.Surroundings(
            added(model, config),
            vocabulary ->
                new Template(
                    around(begins, model, begin(config, vocabulary), "begins"),
                    around(ends, model, end(config, vocabulary), "ends")),
            vocabulary -> begin(config, vocabulary),
            vocabulary -> end(config, vocabulary),
            config::mask));
  }

  private static int begin(TokenizerConfig config, Vocabulary vocabulary) {
    int named = config.named("bos_token", vocabulary);
    return named == Vocabulary.NONE ? vocabulary.id("<s>") : named;
  }

  private static int end(TokenizerConfig config, Vocabulary vocabulary) {
    int named = config.named("eos_token", vocabulary);
    return named == Vocabulary.NONE ? vocabulary.id("</s>") : named;
  }

  private static int[] around(boolean wanted, SentencePiece model, int id, String where) {
    if (wanted && id == Vocabulary.NONE) {
      throw new TokenizerException(
          model.name() + ": no token " + where + " a text, though the config asks for one");
    }
    return wanted ? new int[] {id} : new int[0];
  }

  /** Control pieces are special; what the config adds, or says of a piece, comes first. */
  private static List<AddedToken> added(SentencePiece model, TokenizerConfig config) {
    List<AddedToken> added = new ArrayList<>();
    BitSet named = new BitSet();
    BitSet unknown = model.ofType(PieceType.UNKNOWN);
    BitSet own = model.ofType(PieceType.USER_DEFINED);
    for (AddedToken token : config.added()) {
      // What is unknown has a text here, and the model finds its own pieces better.
      if (!unknown.get(token.id()) && (token.special() || !own.get(token.id()))) {
        added.add(token);
        named.set(token.id());
      }
    }
    BitSet control = model.ofType(PieceType.CONTROL);
    control.andNot(named);
    control.stream()
        .mapToObj(id -> AddedToken.literal(id, model.pieces().get(id).text(), true))
        .forEach(added::add);
    return added;
  }
}
