package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every flag of an added token; what is expected is what the reference library answers. */
class AddedTokensTest {

  private static TinyFile tiny() {
    return TinyFile.letters("abcdefghijklmnopqrstuvwxyz AB<>|é²①");
  }

  /** The tokens of a text with bars between them. */
  private static String tokens(Tokenizer tokenizer, String text, boolean parseSpecial) {
    return Arrays.stream(tokenizer.encode(text, true, parseSpecial))
        .mapToObj(tokenizer::token)
        .collect(Collectors.joining("/"));
  }

  @ParameterizedTest
  @CsvSource(
      ignoreLeadingAndTrailingWhitespace = false,
      value = {"a  <A> b,a/<A>/ /b", "<A>  <A>,<A>/<A>", "  <A>,<A>", "a<A>,a/<A>"})
  void stripsSpaceOnTheLeft(String text, String tokens) {
    assertEquals(tokens, tokens(tiny().added("<A>", "'lstrip': true").read(), text, false));
  }

  @ParameterizedTest
  @CsvSource(
      ignoreLeadingAndTrailingWhitespace = false,
      value = {"a  <A>  b,a/ / /<A>/b", "<A>  <A>,<A>/<A>", "<A>  ,<A>"})
  void stripsSpaceOnTheRight(String text, String tokens) {
    assertEquals(tokens, tokens(tiny().added("<A>", "'rstrip': true").read(), text, false));
  }

  @Test
  void findsATokenThatBeginsInStrippedSpace() {
    Tokenizer tokenizer = tiny().added("<A>", "'rstrip': true").added(" b", "").read();
    assertEquals("<A>/ b", tokens(tokenizer, "<A> b", false));
    assertEquals("<A>/ b/c", tokens(tokenizer, "<A>  bc", false));
  }

  @Test
  void sharesSpaceBetweenStrippingNeighbours() {
    Tokenizer tokenizer =
        tiny().added("<A>", "'lstrip': true, 'rstrip': true").added("<B>", "'lstrip': true").read();
    assertEquals("a/<A>/<B>/ /b", tokens(tokenizer, "a <A> <B> b", false));
  }

  @ParameterizedTest
  @CsvSource({
    "@, @",
    "a@, a",
    "@a, a",
    "<@>, </@/>",
    "@é, é",
    "@², @/²",
    "@①, @/①",
    "@@, @/@",
    "@\u200d, ''",
    "@\u0301, ''",
    "@_, ''",
    "\uD83C\uDD30@, ''"
  })
  void singleWordsStandAlone(String text, String tokens) {
    assertEquals(tokens, tokens(tiny().added("@", "'single_word': true").read(), text, false));
  }

  @ParameterizedTest
  @CsvSource({"abcd, abc/d", "abd, ab/d", "xabcdab, x/abc/d/ab", "aab, a/ab", "bcbcd, b/c/bcd"})
  void takesTheLongestFromTheLeft(String text, String tokens) {
    TinyFile file = tiny().added("ab", "").added("abc", "").added("bcd", "");
    assertEquals(tokens, tokens(file.read(), text, false));
  }

  @Test
  void readsNamesLiterally() {
    Tokenizer tokenizer = tiny().added("a.c*", "").added("[b]+", "").read();
    assertEquals("a/b/c/a.c*/[b]+", tokens(tokenizer, "abca.c*[b]+", false));
  }

  @Test
  void looksForNormalizedTokensInTheNormalizedText() {
    Tokenizer tokenizer =
        tiny().set("normalizer", "{'type': 'NFC'}").added("e\u0301", "'normalized': true").read();
    int id = tokenizer.vocabularySize() - 1;
    assertArrayEquals(new int[] {id}, tokenizer.encode("\u00e9"));
    assertArrayEquals(new int[] {id}, tokenizer.encode("e\u0301"));
  }

  @Test
  void namesOfSpecialTokensArePlainTextUnlessAskedFor() {
    Tokenizer tokenizer = tiny().special("<s>").added("s>a", "").added("s", "'id': 18").read();
    assertEquals("<s>/a", tokens(tokenizer, "<s>a", true));
    assertEquals("</s/>/a", tokens(tokenizer, "<s>a", false));
    assertEquals("s>a", tokens(tokenizer, "s>a", false));
    assertArrayEquals(tokenizer.encode("<s>", true, false), tokenizer.encode("<s>"));
  }
}
