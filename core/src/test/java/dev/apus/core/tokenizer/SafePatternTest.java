package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafePatternTest {

  private static List<String> matches(String pattern, String text) {
    List<String> found = new ArrayList<>();
    SafePattern.of("here", pattern).find(text, (from, to) -> found.add(text.substring(from, to)));
    return found;
  }

  static Stream<Arguments> patterns() {
    return Stream.of(
        Arguments.of("(?i:'s|'ll)", "x'S'Llit'ſ", List.of("'S", "'Ll", "'ſ")),
        Arguments.of("\\s+(?!\\S)", "a\u3000\u3000b", List.of("\u3000")),
        Arguments.of("\\d", "1٣½", List.of("1", "٣")),
        Arguments.of("\\p{Lu}\\p{Ll}*+", "AbcD", List.of("Abc", "D")),
        Arguments.of("[^\\p{L}a-c\\-x]", "a1-xz", List.of("1")),
        Arguments.of("[a-z&&[^aeiou]]+", "hello", List.of("h", "ll")),
        Arguments.of("[[ab]c]{2,}", "abcab", List.of("abcab")),
        Arguments.of("(ab|a){1,2}c", "aabc", List.of("aabc")),
        Arguments.of("[^a-d&&c-f]", "abcdefg", List.of("a", "b", "e", "f", "g")),
        Arguments.of("[a-c[^b-z]]", "a b z", List.of("a", " ", "b", " ")),
        Arguments.of("[^^\\[-]+", "a^[-b", List.of("a", "b")),
        Arguments.of("a.c", "abca\nc", List.of("abc")),
        Arguments.of("\\x41\\u0042\\x{43}", "ABC", List.of("ABC")),
        Arguments.of("[一-龥]+", "x日本", List.of("日本")),
        Arguments.of("\\p{Han}+", "日本ひ", List.of("日本")),
        Arguments.of("a{,2}b", "aaab", List.of("aab")),
        Arguments.of("a+?", "aa", List.of("a", "a")),
        Arguments.of("[!#-'\\[\\\\\\]^_`{|}~][A-Za-z]+", "a[b]cd^e", List.of("[b", "]cd", "^e")));
  }

  @ParameterizedTest
  @MethodSource("patterns")
  void matchesAsTheReferencesEngine(String pattern, String text, List<String> found) {
    assertEquals(found, matches(pattern, text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(?:a|b)*c",
        "(a+)+b",
        "(?<=a)b",
        "(?<n>a)",
        "(?i)a",
        "(?i:ss)",
        "(?i:É)",
        "(?i:[a-z])",
        "a*",
        "",
        "(?=a)",
        "a|",
        "^a",
        "$",
        "\\bword",
        "\\w+",
        "\\1(a)",
        "[[:alpha:]]",
        "[a",
        "(a",
        "a)",
        "a{2",
        "a{3,2}",
        "a{1000}",
        "(?:a{2}){99}(?:b){99}",
        "a**",
        "\\p{Nope}",
        "\\pL",
        "\\x{110000}",
        "\\xZZ",
        "a\\",
        "[a-\\p{L}]",
        "[z-a]",
        "[&&a]",
        "[a&&]",
        "[a&&&&b]",
        "[\\d-z]",
        "[]a]",
        "(?:(?:(?:a){50}){50}){50}",
        "*a"
      })
  void refusesWhatMayNotBeSafeOrMeanTheSame(String pattern) {
    var refusal = assertThrows(TokenizerException.class, () -> matches(pattern, "aaa"));
    assertTrue(refusal.getMessage().startsWith("here: the pattern "), refusal.getMessage());
  }

  @Test
  void refusesNestingThatWouldOverflowTheStack() {
    String deep = "(?:".repeat(3000) + "a" + ")".repeat(3000);
    assertThrows(TokenizerException.class, () -> matches(deep, "a"));
    assertThrows(TokenizerException.class, () -> matches("[".repeat(3000), "a"));
  }

  @Test
  void givesUpOnPatternsThatTakeQuadraticTime() {
    String text = " ".repeat(1 << 17);
    var slow = assertThrows(TokenizerException.class, () -> matches("\\s+x", text));
    assertEquals(
        "here: the pattern \"\\s+x\" is too slow on a text of 131072 characters",
        slow.getMessage());
  }
}
