package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.SharedFolder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes of tokens, one after the other, are the text that the tokenizer makes of them. */
class TokenBytesTest {

  @ParameterizedTest
  @ValueSource(
      strings = {"gpt2", "llama3", "qwen2", "gpt4o", "llama2", "mistral_metaspace", "unigram"})
  void areTheTextOfTheTokens(String kind) throws IOException {
    Path folder = SharedFolder.require("goldens/tokenizers/" + kind);
    Tokenizer tokenizer = Tokenizer.read(folder);
    TokenBytes tokens = TokenBytes.of(tokenizer);
    JsonNode cases =
        new ObjectMapper().readTree(folder.resolve("expected.json").toFile()).get("cases");
    for (JsonNode row : cases) {
      assertWritten(tokenizer, tokens, Recorded.ids(row.get("ids")));
    }
  }

  @Test
  void areTheTextOfTheTokensOfFable() {
    Tokenizer tokenizer = Recorded.fable();
    TokenBytes tokens = TokenBytes.of(tokenizer);
    for (String text : new String[] {"Once upon a time", "é🐦 \n\t x", ""}) {
      assertWritten(tokenizer, tokens, tokenizer.encode(text, true, false));
    }
  }

  private static void assertWritten(Tokenizer tokenizer, TokenBytes tokens, int[] ids) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    boolean first = true;
    for (int id : ids) {
      bytes.writeBytes(tokens.of(id, first));
      first &= tokenizer.isSpecial(id);
    }
    assertEquals(tokenizer.decode(ids), bytes.toString(StandardCharsets.UTF_8));
  }

  /** A walk along all nodes meets every token once, at the end of its own bytes. */
  @Test
  void aTrieHoldsEveryTokenAtItsPlace() {
    Tokenizer tokenizer = Recorded.fable();
    TokenBytes tokens = TokenBytes.of(tokenizer);
    for (TokenTrie trie :
        new TokenTrie[] {
          tokens.trie(true), tokens.trie(false), tokens.trie(false).only(id -> id % 3 == 1)
        }) {
      BitSet met = new BitSet();
      byte[] way = new byte[trie.deepest()];
      Map<Integer, Integer> ends = new HashMap<>();
      for (int node = 0; node < trie.size(); node++) {
        int depth = trie.depth(node);
        way[depth] = (byte) trie.value(node);
        ends.put(depth, trie.end(node));
        assertTrue(depth == 0 || node < ends.get(depth - 1), "within the node above");
        for (int at = trie.firstToken(node); at < trie.firstToken(node + 1); at++) {
          int token = trie.token(at);
          met.set(token);
          assertArrayEquals(
              tokens.of(token, trie == tokens.trie(true)), Arrays.copyOf(way, depth + 1));
        }
      }
      for (int id = 0; id < tokens.size(); id++) {
        boolean wanted = trie.size() == tokens.trie(false).size() || id % 3 == 1;
        assertEquals(wanted && tokens.of(id, false).length > 0, met.get(id), "token " + id);
      }
    }
  }
}
