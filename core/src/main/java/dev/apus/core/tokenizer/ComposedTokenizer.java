package dev.apus.core.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** A tokenizer of exchangeable parts. */
final class ComposedTokenizer implements Tokenizer {

  /**
   * The parts, in the order in which a text meets them.
   *
   * @param beginning the id of the token that begins a text, or {@link Vocabulary#NONE}
   * @param end the id of the token that ends a text, or {@link Vocabulary#NONE}
   * @param mask the id of the token that masks others, or {@link Vocabulary#NONE}
   */
  record Parts(
      Vocabulary vocabulary,
      List<AddedToken> added,
      TextNormalizer normalizer,
      PreTokenizer preTokenizer,
      TokenModel model,
      Template template,
      Decoding decoding,
      int beginning,
      int end,
      int mask) {}

  private final Parts parts;
  private final AddedTokens addedInOriginal;
  private final AddedTokens addedInNormalized;
  private final TokenSpelling spelling;

  ComposedTokenizer(Parts parts) {
    this.parts = parts;
    this.addedInOriginal =
        new AddedTokens(
            parts.added().stream().filter(token -> !token.normalized()).toList(), text -> text);
    this.addedInNormalized =
        new AddedTokens(
            parts.added().stream().filter(AddedToken::normalized).toList(),
            parts.normalizer()::apply);
    this.spelling = new TokenSpelling(parts.decoding());
  }

  @Override
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    return ids(text, addSpecial, parseSpecial).toArray();
  }

  /** The ids with the number of steps that the model took to find them. */
  Ids ids(String text, boolean addSpecial, boolean parseSpecial) {
    Ids ids = new Ids();
    if (addSpecial) {
      ids.add(parts.template().before());
    }
    String original = Characters.withoutLoneSurrogates(text);
    addedInOriginal.split(
        original,
        parseSpecial,
        new AddedTokens.Parts() {
          @Override
          public void text(int from, int to) {
            encodeNormalized(
                parts.normalizer().apply(original.substring(from, to)),
                from == 0,
                parseSpecial,
                ids);
          }

          @Override
          public void token(int id) {
            ids.add(id);
          }
        });
    if (addSpecial) {
      ids.add(parts.template().after());
    }
    return ids;
  }

  private void encodeNormalized(String text, boolean first, boolean parseSpecial, Ids ids) {
    addedInNormalized.split(
        text,
        parseSpecial,
        new AddedTokens.Parts() {
          @Override
          public void text(int from, int to) {
            List<PreTokenizer.Piece> pieces = new ArrayList<>();
            parts
                .preTokenizer()
                .split(
                    new PreTokenizer.Piece(text.substring(from, to), first && from == 0), pieces);
            for (PreTokenizer.Piece piece : pieces) {
              parts.model().tokenize(piece.text(), ids);
            }
          }

          @Override
          public void token(int id) {
            ids.add(id);
          }
        });
  }

  @Override
  public String decode(int[] ids, boolean keepSpecial) {
    Stream stream = new Stream(keepSpecial);
    for (int id : ids) {
      stream.accept(id);
    }
    return stream.flush();
  }

  @Override
  public TextDecoder newDecoder() {
    return new Stream(false);
  }

  @Override
  public int vocabularySize() {
    return parts.vocabulary().size();
  }

  @Override
  public String token(int id) {
    String token = parts.vocabulary().token(id);
    if (token == null) {
      throw new IllegalArgumentException("no token has the id " + id);
    }
    return token;
  }

  @Override
  public OptionalInt id(String token) {
    return optional(parts.vocabulary().id(token));
  }

  @Override
  public boolean isSpecial(int id) {
    return parts.vocabulary().isSpecial(id);
  }

  @Override
  public boolean isUsed(int id) {
    return parts.vocabulary().isUsed(id);
  }

  @Override
  public byte[] bytes(int id, boolean first) {
    return !isUsed(id) || isSpecial(id) ? new byte[0] : spelling.bytes(token(id), first);
  }

  @Override
  public OptionalInt beginning() {
    return optional(parts.beginning());
  }

  @Override
  public OptionalInt end() {
    return optional(parts.end());
  }

  @Override
  public OptionalInt mask() {
    return optional(parts.mask());
  }

  private static OptionalInt optional(int id) {
    return id == Vocabulary.NONE ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** One stream of tokens on its way to text. */
  private final class Stream implements TextDecoder {

    private final boolean keepSpecial;
    private final StringBuilder text = new StringBuilder();
    private final Decoding.Sink sink =
        parts
            .decoding()
            .before(
                new Decoding.Sink() {
                  @Override
                  public void token(String part) {
                    text.append(part);
                  }

                  @Override
                  public void end() {}
                });

    Stream(boolean keepSpecial) {
      this.keepSpecial = keepSpecial;
    }

    void accept(int id) {
      String token = parts.vocabulary().token(id);
      // An id in a hole of the vocabulary has no text, as in the reference.
      if (token != null && (keepSpecial || !isSpecial(id))) {
        sink.token(token);
      } else {
        sink.silence();
      }
    }

    @Override
    public String append(int id) {
      accept(id);
      return taken();
    }

    @Override
    public String flush() {
      sink.end();
      return taken();
    }

    private String taken() {
      String taken = text.toString();
      text.setLength(0);
      return taken;
    }
  }
}
