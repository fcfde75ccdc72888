package dev.apus.core.tokenizer;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
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
   */
  record Settings(int unknownId, boolean fuseUnknown, boolean byteFallback, boolean ignoreMerges) {}

  private static final int LONGEST_CACHED = 48;
  private static final int MOST_CACHED = 1 << 14;

  private final Map<String, Integer> ids;
  private final Merges merges;
  private final Settings settings;

  /** Null where unknown characters stay unknown. */
  private final ByteTokens byteTokens;

  private final Set<Integer> neverFromText;
  private final Map<String, int[]> cache = new ConcurrentHashMap<>();

  BytePairModel(Vocabulary vocabulary, Merges merges, Settings settings) {
    this.ids = vocabulary.modelIds();
    this.merges = merges;
    this.settings = settings;
    this.byteTokens = settings.byteFallback() ? new ByteTokens(ids) : null;
    this.neverFromText = new HashSet<>();
    for (int id : ids.values()) {
      if (vocabulary.isSpecial(id)) {
        neverFromText.add(id);
      }
    }
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
    for (String affix : new String[] {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (model.has(affix) && !model.text(affix).isEmpty()) {
        throw model.wrong(affix, "null or \"\"");
      }
    }
    int unknownId = Vocabulary.NONE;
    if (model.has("unk_token")) {
      unknownId = vocabulary.id(model.text("unk_token"));
      if (unknownId == Vocabulary.NONE) {
        throw model.wrong("unk_token", "a token of the vocabulary");
      }
    }
    return new BytePairModel(
        vocabulary,
        Merges.of(model.file(), file.merges(), vocabulary.modelIds()),
        new Settings(
            unknownId,
            model.flag("fuse_unk", false),
            model.flag("byte_fallback", false),
            model.flag("ignore_merges", false)));
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
      if (whole != null && !neverFromText.contains(whole)) {
        out.add(whole);
        return;
      }
    }
    int[] symbols = characters(text);
    if (symbols.length > 1) {
      symbols = joined(symbols);
    }
    out.add(symbols);
  }

  private int[] characters(String text) {
    Ids symbols = new Ids();
    // An unknown character waits for the next known one, even while bytes pass it: so does the
    // reference.
    boolean unknownWaits = false;
    for (int at = 0, width; at < text.length(); at += width) {
      width = Character.charCount(text.codePointAt(at));
      String character = text.substring(at, at + width);
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

  /**
   * The symbols after all merges, in O(n log n): a linked list of symbols and a queue of (rank,
   * position) in which entries go stale instead of being removed.
   */
  private int[] joined(int[] symbols) {
    int count = symbols.length;
    int[] next = new int[count];
    int[] previous = new int[count];
    LongHeap queue = new LongHeap(count);
    for (int i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    for (int i = 0; i + 1 < count; i++) {
      offer(queue, symbols, i, i + 1);
    }
    while (!queue.isEmpty()) {
      long entry = queue.pop();
      int left = (int) entry;
      int right = next[left];
      if (symbols[left] == Vocabulary.NONE || right == count) {
        continue;
      }
      int merged = merges.result((int) (entry >>> 32));
      int rank = merges.rank(symbols[left], symbols[right]);
      // An entry whose pair has changed still counts if the new pair gives the same token: so does
      // the reference, and ids must agree.
      if (rank == Merges.NONE || merges.result(rank) != merged) {
        continue;
      }
      symbols[left] = merged;
      symbols[right] = Vocabulary.NONE;
      next[left] = next[right];
      if (next[left] < count) {
        previous[next[left]] = left;
        offer(queue, symbols, left, next[left]);
      }
      if (previous[left] >= 0) {
        offer(queue, symbols, previous[left], left);
      }
    }
    return Arrays.stream(symbols).filter(id -> id != Vocabulary.NONE).toArray();
  }

  private void offer(LongHeap queue, int[] symbols, int left, int right) {
    int rank = merges.rank(symbols[left], symbols[right]);
    if (rank != Merges.NONE) {
      queue.push((long) rank << 32 | left);
    }
  }
}
