package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Makes a tokenizer of the vocabulary in a GGUF header. */
final class GgufTokenizer {

  private static final String BYTE_PAIRS = "gpt2";
  private static final String GEMMA4 = "gemma4";
  private static final List<String> MODELS =
      List.of(BYTE_PAIRS, GEMMA4, "llama", "t5", "bert", "rwkv");

  /** BERT's limit, which GGUF files do not repeat. */
  static final int LONGEST_WORD = 100;

  private final GgufVocabulary file;

  private GgufTokenizer(GgufVocabulary file) {
    this.file = file;
  }

  static Tokenizer of(String name, Map<String, ?> metadata) {
    return new GgufTokenizer(new GgufVocabulary(name, metadata)).tokenizer();
  }

  static boolean knows(Map<String, ?> metadata) {
    Object model = metadata.get(GgufVocabulary.PREFIX + "model");
    return BYTE_PAIRS.equals(model)
        ? metadata.get(GgufVocabulary.PREFIX + "pre") instanceof String pre
            && GgufPre.of(pre) != null
        : model instanceof String text && MODELS.contains(text);
  }

  private Tokenizer tokenizer() {
    return switch (file.text("model")) {
      case BYTE_PAIRS -> bytePairs(file.text("pre"));
      case GEMMA4 -> bytePairs(GEMMA4);
      case "llama" -> sentencePiece(SentencePiece.Kind.BYTE_PAIRS);
      case "t5" -> sentencePiece(SentencePiece.Kind.UNIGRAM);
      case "bert" -> wordPieces();
      case "rwkv" -> rwkv();
      default -> throw file.unsupported("model", String.join(", ", MODELS));
    };
  }

  private Tokenizer bytePairs(String name) {
    GgufPre pre = GgufPre.of(name);
    if (pre == null) {
      throw file.unsupported("pre", String.join(", ", GgufPre.names()));
    }
    List<PieceType> types = file.types();
    List<Piece> pieces = file.used(types);
    List<AddedToken> added = file.added(pieces, types, true);
    Vocabulary vocabulary = Vocabulary.of(file.name, pieces, added);
    int beginning = file.id("bos_token_id", vocabulary);
    int end = file.id("eos_token_id", vocabulary);
    boolean ranked = name.equals("kimi-k2") && !file.has("merges");
    return new ComposedTokenizer(
        new ComposedTokenizer.Parts(
            vocabulary,
            added,
            pre.composed()
                ? new UnicodeForm(Normalizer.Form.NFC)
                : pre.spaced() ? text -> text.replace(' ', SentencePiece.SPACE) : text -> text,
            pre.preTokenizer(file.name + ": " + GgufVocabulary.PREFIX + "pre"),
            ranked ? BytePairModel.ranked(vocabulary) : merging(pre, vocabulary),
            new Template(
                file.around("add_bos_token", pre.begins(), "bos_token_id", beginning),
                file.around("add_eos_token", false, "eos_token_id", end)),
            pre.spaced() ? Decoding.spacedBytes() : Decoding.byteLevel(),
            beginning,
            end,
            file.id("mask_token_id", vocabulary)));
  }

  private BytePairModel merging(GgufPre pre, Vocabulary vocabulary) {
    List<String> merges = Merges.parts(file.name, file.texts("merges"));
    return new BytePairModel(
        vocabulary,
        Merges.of(file.name, merges, vocabulary.modelIds(), 0),
        new BytePairModel.Settings(
            Vocabulary.NONE, false, pre.spaced(), pre.ignoreMerges(), "", ""));
  }

  /** The model of SentencePiece that a file holds. */
  static SentencePiece model(GgufVocabulary file, SentencePiece.Kind kind) {
    List<PieceType> types = file.types();
    List<Piece> pieces = file.pieces(types);
    if (!types.contains(PieceType.UNKNOWN)) {
      throw file.wrong("token_type", "a token of the type 2, for what is unknown");
    }
    return new SentencePiece(
        file.name,
        kind,
        pieces,
        types,
        new SentencePiece.Spaces(
            file.flag("add_space_prefix", kind != SentencePiece.Kind.UNIGRAM),
            false,
            file.flag("remove_extra_whitespaces", false),
            true),
        Charsmap.of(
            file.name + ": " + GgufVocabulary.PREFIX + "precompiled_charsmap",
            file.bytes("precompiled_charsmap")),
        null);
  }

  private Tokenizer sentencePiece(SentencePiece.Kind kind) {
    boolean unigram = kind == SentencePiece.Kind.UNIGRAM;
    SentencePiece model = model(file, kind);
    return model.tokenizer(
        new SentencePiece.Surroundings(
            file.added(model.pieces(), model.types(), false),
            vocabulary ->
                new Template(
                    file.around("add_bos_token", !unigram, "bos_token_id", begin(vocabulary)),
                    file.around("add_eos_token", unigram, "eos_token_id", end(vocabulary))),
            this::begin,
            this::end,
            vocabulary -> file.id("mask_token_id", vocabulary)));
  }

  private int begin(Vocabulary vocabulary) {
    return file.id(List.of("bos_token_id"), "<s>", vocabulary);
  }

  private int end(Vocabulary vocabulary) {
    return file.id(List.of("eos_token_id"), "</s>", vocabulary);
  }

  /**
   * WordPiece. These files spell a token that begins a word with a space before it, and one that
   * goes on as it is; here they get their makers' spelling back.
   */
  private Tokenizer wordPieces() {
    List<Piece> pieces = new ArrayList<>();
    List<PieceType> types = file.types();
    for (Piece piece : file.used(types)) {
      String text = piece.text();
      if (text.startsWith("[") && text.endsWith("]") && text.length() > 2) {
        types.set(piece.id(), PieceType.CONTROL);
      } else if (types.get(piece.id()) == PieceType.NORMAL && !text.isEmpty()) {
        text = text.charAt(0) == SentencePiece.SPACE ? text.substring(1) : "##" + text;
      }
      pieces.add(new Piece(text, piece.id(), 0));
    }
    List<AddedToken> added = file.added(pieces, types, true);
    Vocabulary vocabulary = Vocabulary.of(file.name, pieces, added);
    int begin = file.id(List.of("cls_token_id", "bos_token_id"), "[CLS]", vocabulary);
    int end = file.id(List.of("seperator_token_id", "eos_token_id"), "[SEP]", vocabulary);
    int unknown = file.id(List.of("unknown_token_id"), "[UNK]", vocabulary);
    if (unknown == Vocabulary.NONE) {
      throw file.wrong("unknown_token_id", "the id of the token for unknown words");
    }
    boolean lowercase = file.flag("normalizer.lowercase", true);
    WordPieceSpelling spelling = new WordPieceSpelling("##", true);
    return new ComposedTokenizer(
        new ComposedTokenizer.Parts(
            vocabulary,
            added,
            new BertNormalizer(
                true, true, file.flag("normalizer.strip_accents", lowercase), lowercase),
            SplitPreTokenizer.words(file.name, KnownPatterns.BERT_WORD),
            new WordPieceModel(vocabulary, "##", unknown, LONGEST_WORD),
            new Template(
                file.around("add_bos_token", true, "cls_token_id", begin),
                file.around("add_sep_token", true, "seperator_token_id", end)),
            Decoding.rewriting(spelling::decoded),
            begin,
            end,
            file.id(List.of("mask_token_id"), "[MASK]", vocabulary)));
  }

  /** The tokens of these files are spelled as Python spells bytes. */
  private Tokenizer rwkv() {
    List<Piece> pieces = new ArrayList<>();
    AddedToken end = null;
    List<String> tokens = file.texts("tokens");
    List<PieceType> types = file.types();
    for (int id = 0; id < types.size(); id++) {
      if (types.get(id) == PieceType.CONTROL) {
        end = end == null ? AddedToken.literal(id, tokens.get(id), true) : end;
      } else if (types.get(id) == PieceType.NORMAL) {
        pieces.add(new Piece(ByteAlphabet.spell(escaped(id, tokens.get(id))), id, 0));
      }
    }
    if (end == null) {
      throw file.wrong("token_type", "a token of the type 3, which ends texts");
    }
    return RwkvFile.tokenizer(file.name, pieces, end);
  }

  private byte[] escaped(int id, String token) {
    try {
      return RwkvFile.unescaped(token, true);
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new TokenizerException(
          file.name
              + ": "
              + GgufVocabulary.PREFIX
              + "tokens["
              + id
              + "] is "
              + Vocabulary.quoted(token)
              + "; needed: bytes as Python spells them",
          e);
    }
  }
}
