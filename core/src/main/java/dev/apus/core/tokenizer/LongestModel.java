package dev.apus.core.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** RWKV's way to cut bytes: always the longest token that begins where the last one ended. */
final class LongestModel implements TokenModel {

  private final SortedPieces tokens;
  private final int[] ids;

  /** Makes a model of tokens that are spelled in the alphabet of bytes. */
  LongestModel(String name, Vocabulary vocabulary) {
    List<String> producible = new ArrayList<>();
    vocabulary
        .modelIds()
        .forEach(
            (text, id) -> {
              if (!vocabulary.isSpecial(id)) {
                producible.add(text);
              }
            });
    int[] order = new int[producible.size()];
    tokens = SortedPieces.of(producible, order);
    ids = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      ids[i] = vocabulary.modelIds().get(producible.get(order[i]));
    }
    for (int b = 0; b < 256; b++) {
      if (!vocabulary.modelIds().containsKey(ByteAlphabet.spell((byte) b))) {
        throw new TokenizerException(
            name + ": has no token for the byte " + b + "; needed: one for each byte");
      }
    }
  }

  @Override
  public void tokenize(String text, Ids out) {
    int[] longest = new int[2];
    for (int at = 0; at < text.length(); at = longest[1]) {
      int looks =
          tokens.find(
              text,
              at,
              (index, end) -> {
                longest[0] = ids[index];
                longest[1] = end;
              });
      out.worked(looks);
      out.add(longest[0]);
    }
  }
}
