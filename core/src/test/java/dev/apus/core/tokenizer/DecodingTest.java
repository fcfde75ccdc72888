package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every decoder; what is expected is what the reference library answers. */
class DecodingTest {

  private static final String LLAMA =
      "{'type': 'Sequence', 'decoders': [{'type': 'Replace', 'pattern': {'String': '▁'},"
          + " 'content': ' '}, {'type': 'ByteFallback'}, {'type': 'Fuse'},"
          + " {'type': 'Strip', 'content': ' ', 'start': 1, 'stop': 0}]}";

  private static String metaspace(String scheme) {
    return "{'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': '" + scheme + "'}";
  }

  private static String strip(int start) {
    return "{'type': 'Strip', 'content': ' ', 'start': %d, 'stop': 0}".formatted(start);
  }

  static Stream<Arguments> decoders() {
    return Stream.of(
        Arguments.of("null", List.of("a", "b", "c"), "a b c"),
        Arguments.of(metaspace("always"), List.of("▁a", "▁b", "c▁", "▁"), "a bc  "),
        Arguments.of(metaspace("never"), List.of("▁a", "▁b"), " a b"),
        Arguments.of(metaspace("first"), List.of("▁▁a", "▁b"), "a b"),
        Arguments.of("{'type': 'Fuse'}", List.of("a", "b"), "ab"),
        Arguments.of(strip(1), List.of("  a", " b "), " ab "),
        Arguments.of(LLAMA, List.of("▁", "▁a", "<0x20>"), " a "),
        Arguments.of(LLAMA, List.of("<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "▁x"), "😀 x"),
        Arguments.of(
            "{'type': 'Replace', 'pattern': {'String': '▁'}, 'content': ' '}",
            List.of("▁a▁", "b▁▁"),
            " a b  "),
        Arguments.of(
            "{'type': 'ByteFallback'}",
            List.of("<0xE6>", "<0x97>", "<0xA5>", "a", "<0xE6>", "<0x97>x", "b", "<0x4", "<0x4G>"),
            "日a\uFFFD<0x97>xb<0x4<0x4G>"),
        Arguments.of(
            "{'type': 'ByteFallback'}",
            List.of("<0xE6>", "<0x97>", "<0xA5>", "<0xFF>"),
            "\uFFFD\uFFFD\uFFFD\uFFFD"),
        Arguments.of(
            "{'type': 'WordPiece', 'prefix': '##', 'cleanup': true}",
            List.of("do", "n't", "I", "'m", "?", "!", ",", "a", ".", "##x", " do", " not", " ' "),
            "don't I'm?!, a.x  do  not '"),
        Arguments.of(
            "{'type': 'WordPiece', 'prefix': '##', 'cleanup': false}",
            List.of("##a", "n't", "."),
            "##a n't ."));
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void decodesWholeAndStreamed(String decoder, List<String> tokens, String text) {
    List<String> vocabulary = tokens.stream().distinct().toList();
    Tokenizer tokenizer = TinyFile.of(vocabulary).set("decoder", decoder).read();
    int[] ids = tokens.stream().mapToInt(vocabulary::indexOf).toArray();
    assertEquals(text, tokenizer.decode(ids));
    assertEquals(text, Recorded.streamed(tokenizer, ids));
  }

  @Test
  void aFlushedDecoderIsAsNew() {
    Tokenizer tokenizer = TinyFile.of(List.of("▁a", "▁b")).set("decoder", LLAMA).read();
    TextDecoder decoder = tokenizer.newDecoder();
    assertEquals("a b", decoder.append(0) + decoder.append(1) + decoder.flush());
    assertEquals("b", decoder.append(1) + decoder.flush());
  }

  @Test
  void specialTokensHaveNoText() {
    Tokenizer tokenizer =
        TinyFile.letters("ab").special("<s>").set("decoder", "{'type': 'Fuse'}").read();
    assertEquals("ab", tokenizer.decode(new int[] {2, 0, 2, 1}));
    assertEquals("<s>a<s>b", tokenizer.decode(new int[] {2, 0, 2, 1}, true));
  }

  @Test
  void refusesStepsThatNeedTokensAfterTheyAreJoined() {
    String late = "{'type': 'Sequence', 'decoders': [{'type': 'Fuse'}, {'type': 'ByteFallback'}]}";
    TinyFile file = TinyFile.letters("a").set("decoder", late);
    var refusal = assertThrows(TokenizerException.class, file::read);
    assertEquals(
        "tiny.json: decoder.decoders[1].type=\"ByteFallback\" is not supported; supported: Fuse and"
            + " Strip, once tokens are joined",
        refusal.getMessage());
  }
}
