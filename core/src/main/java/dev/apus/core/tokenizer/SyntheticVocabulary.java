package dev.apus.core.tokenizer;

import dev.apus.core.file.GgufWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A made-up byte-level vocabulary of any size, for GGUF files of models that know no language:
 * every byte is a token, and every other token is an earlier one with one more byte, by a merge of
 * the two.
 */
public final class SyntheticVocabulary {

  private static final String PREFIX = "tokenizer.ggml.";
  private static final int BYTES = 256;
  private static final int TEXT = 1;
  private static final int CONTROL = 3;

  private SyntheticVocabulary() {}

  /**
   * Writes a vocabulary of {@code size} tokens. One too small for all bytes is left out, and the
   * file says that it has none.
   *
   * @param begin the token that texts begin with, or −1
   * @param end the token that ends a text, or −1
   */
  public static void write(GgufWriter file, int size, int begin, int end) {
    Map<Integer, String> special = new LinkedHashMap<>();
    put(special, size, end, "<|end|>");
    put(special, size, begin, "<|begin|>");
    if (size < BYTES + special.size()) {
      file.text(PREFIX + "model", "none");
    } else {
      tokens(file, size, special);
      file.flag(PREFIX + "add_bos_token", special.containsKey(begin));
    }
    if (special.containsKey(begin)) {
      file.u32(PREFIX + "bos_token_id", begin);
    }
    if (special.containsKey(end)) {
      file.u32(PREFIX + "eos_token_id", end);
    }
  }

  private static void put(Map<Integer, String> special, int size, int id, String token) {
    if (id >= 0 && id < size) {
      special.put(id, token);
    }
  }

  private static void tokens(GgufWriter file, int size, Map<Integer, String> special) {
    List<String> tokens = new ArrayList<>(size);
    List<String> texts = new ArrayList<>(size);
    List<String> merges = new ArrayList<>(size);
    int[] types = new int[size];
    for (int id = 0; id < size; id++) {
      if (special.containsKey(id)) {
        tokens.add(special.get(id));
        types[id] = CONTROL;
        continue;
      }
      String last = ByteAlphabet.spell((byte) texts.size());
      if (texts.size() < BYTES) {
        texts.add(last);
      } else {
        String first = texts.get(texts.size() / BYTES - 1);
        merges.add(first + " " + last);
        texts.add(first + last);
      }
      tokens.add(texts.getLast());
      types[id] = TEXT;
    }
    file.text(PREFIX + "model", "gpt2")
        .text(PREFIX + "pre", "llama-bpe")
        .texts(PREFIX + "tokens", tokens)
        .i32s(PREFIX + "token_type", types)
        .texts(PREFIX + "merges", merges);
  }
}
