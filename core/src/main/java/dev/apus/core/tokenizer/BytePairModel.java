package dev.apus.core.tokenizer;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Byte-pair encoding: a pre-token is cut into characters, then of all neighbours the pair that was
 * learnt first is joined, again and again.
 *
 * <p>Sennrich, Haddow and Birch, <i>Neural Machine Translation of Rare Words with Subword
 * Units</i>, ACL 2016.
 */
final class BytePairModel implements TokenModel {

  /**
   * What the model does besides merging.
   *
   * @param unknownId the token of a character that the vocabulary lacks; {@link Vocabulary#NONE}
   *     drops the character
   * @param fuseUnknown whether a run of unknown characters is one token
   * @param byteFallback whether an unknown character becomes the tokens of its bytes
   * @param ignoreMerges whether a pre-token that is a token needs no merges
   * @param prefix what a character that does not begin a pre-token is spelled with before it
   * @param suffix what the last character of a pre-token is spelled with after it
   */
  record Settings(
      int unknownId,
      boolean fuseUnknown,
      boolean byteFallback,
      boolean ignoreMerges,
      String prefix,
      String suffix) {}

  private static final int LONGEST_CACHED = 48;
  private static final int MOST_CACHED = 1 << 14;

  private final Vocabulary vocabulary;
  private final Map<String, Integer> ids;
  private final Merges merges;
  private final Settings settings;

  /** Null where unknown characters stay unknown. */
  private final ByteTokens byteTokens;

  private final Map<String, int[]> cache = new ConcurrentHashMap<>();

  BytePairModel(Vocabulary vocabulary, Merges merges, Settings settings) {
    this.vocabulary = vocabulary;
    this.ids = vocabulary.modelIds();
    this.merges = merges;
    this.settings = settings;
    this.byteTokens = settings.byteFallback() ? new ByteTokens(ids) : null;
  }

  static BytePairModel read(TokenizerFile file, Vocabulary vocabulary) {
    Section model =
        file.model()
            .only(
                "type",
                "dropout",
                "unk_token",
                "continuing_subword_prefix",
                "end_of_word_suffix",
                "fuse_unk",
                "byte_fallback",
                "ignore_merges");
    if (model.has("dropout") && model.node().get("dropout").asDouble(1) != 0) {
      throw model.wrong("dropout", "null or 0, since encoding is exact here");
    }
    String prefix = affix(model, "continuing_subword_prefix");
    int unknownId = Vocabulary.NONE;
    if (model.has("unk_token")) {
      unknownId = vocabulary.id(model.text("unk_token"));
      if (unknownId == Vocabulary.NONE) {
        throw model.wrong("unk_token", "a token of the vocabulary");
      }
    }
    return new BytePairModel(
        vocabulary,
        Merges.of(model.file(), file.merges(), vocabulary.modelIds(), prefix.length()),
        new Settings(
            unknownId,
            model.flag("fuse_unk", false),
            model.flag("byte_fallback", false),
            model.flag("ignore_merges", false),
            prefix,
            affix(model, "end_of_word_suffix")));
  }

  private static String affix(Section model, String key) {
    return model.has(key) ? model.text(key) : "";
  }

  /** A model of bytes whose tokens are joined in the order of their ids, as tiktoken has it. */
  static BytePairModel ranked(Vocabulary vocabulary) {
    Map<String, Integer> ids = vocabulary.modelIds();
    return new BytePairModel(
        vocabulary,
        Merges.spelling(ids, ids, id -> id),
        new Settings(Vocabulary.NONE, false, false, true, "", ""));
  }

  @Override
  public void tokenize(String text, Ids out) {
    if (text.length() > LONGEST_CACHED) {
      merge(text, out);
      return;
    }
    int[] cached = cache.get(text);
    if (cached != null) {
      out.add(cached);
      return;
    }
    int from = out.size();
    merge(text, out);
    if (cache.size() < MOST_CACHED) {
      cache.put(text, out.from(from));
    }
  }

  private void merge(String text, Ids out) {
    if (settings.ignoreMerges()) {
      Integer whole = ids.get(text);
      if (whole != null && !vocabulary.isSpecial(whole)) {
        out.add(whole);
        return;
      }
    }
    out.add(merges.join(characters(text), out));
  }

  private int[] characters(String text) {
    Ids symbols = new Ids();
    // An unknown character waits for the next known one, even while bytes pass it: so does the
    // reference.
    boolean unknownWaits = false;
    for (int at = 0, width; at < text.length(); at += width) {
      width = Character.charCount(text.codePointAt(at));
      String character = text.substring(at, at + width);
      if (at > 0) {
        character = settings.prefix() + character;
      }
      if (at + width == text.length()) {
        character += settings.suffix();
      }
      Integer id = ids.get(character);
      boolean spelled = id == null && byteTokens != null && byteTokens.add(character, symbols);
      if (spelled || (id == null && settings.unknownId() == Vocabulary.NONE)) {
        continue;
      }
      if (unknownWaits && (id != null || !settings.fuseUnknown())) {
        symbols.add(settings.unknownId());
      }
      unknownWaits = id == null;
      if (id != null) {
        symbols.add(id);
      }
    }
    if (unknownWaits) {
      symbols.add(settings.unknownId());
    }
    return symbols.toArray();
  }
}
