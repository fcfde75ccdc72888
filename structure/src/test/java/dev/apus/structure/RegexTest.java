package dev.apus.structure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexTest {

  private static final String[] ATOMS = {
    "a",
    "b",
    "ab",
    ".",
    "[ab]",
    "[^a]",
    "\\d",
    "\\w",
    "\\S",
    "é",
    "🐦",
    "[a-é]",
    "[^\\d\\s]",
    "\\x41",
    "\\u00e9",
    "[\\]\\-x]",
    "\\.",
    "\\p{L}",
    "\\P{Lu}",
    "[]a]"
  };

  private static Node node(String expression) {
    Regex regex = RegexParser.parse("the expression", expression, false);
    return Regex.node(regex, false, ByteTree::of, "the expression");
  }

  /** Java's own engine is the oracle. */
  @Test
  void matchesWhatJavaMatches() {
    SplittableRandom random = new SplittableRandom(7);
    int matched = 0;
    int unmatched = 0;
    for (int i = 0; i < 400; i++) {
      String expression = expression(random, 3);
      Pattern pattern = Pattern.compile(expression);
      Node node = node(expression);
      for (int j = 0; j < 30; j++) {
        String text = text(random);
        boolean expected = pattern.matcher(text).matches();
        assertEquals(expected, Texts.accepts(node, text), () -> expression + " on " + text);
        matched += expected ? 1 : 0;
        unmatched += expected ? 0 : 1;
      }
    }
    assertTrue(matched > 1000 && unmatched > 1000, matched + " matched, " + unmatched + " not");
  }

  private static String expression(SplittableRandom random, int depth) {
    if (depth == 0) {
      return ATOMS[random.nextInt(ATOMS.length)];
    }
    String inner = expression(random, depth - 1);
    return switch (random.nextInt(8)) {
      case 0 -> inner + expression(random, depth - 1);
      case 1 -> "(" + inner + "|" + expression(random, depth - 1) + ")";
      case 2 -> "(?:" + inner + ")*";
      case 3 -> "(?:" + inner + ")+?";
      case 4 -> "(?:" + inner + ")?";
      case 5 -> "(?<g" + depth + random.nextInt(1 << 20) + ">" + inner + ")";
      case 6 -> "(?:" + inner + "){" + random.nextInt(3) + "," + (2 + random.nextInt(4)) + "}";
      default -> "(?:" + inner + "){" + (1 + random.nextInt(2)) + ",}";
    };
  }

  private static String text(SplittableRandom random) {
    String letters = "aaabbb01 é🐦A.]-x\n_\u2028Ωz";
    int[] characters = letters.codePoints().toArray();
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(6); length > 0; length--) {
      text.appendCodePoint(characters[random.nextInt(characters.length)]);
    }
    return text.toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"^ab|c$", "^(a|b$)", "\\Aa\\z", "(^a$|^b$)", "$", "^^a$$"})
  void anchorsStandAtTheEnds(String expression) {
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 100; i++) {
      String text = "abc".substring(random.nextInt(2), 1 + random.nextInt(1, 3));
      assertEquals(text.matches(expression), Texts.accepts(node(expression), text), text);
    }
  }

  /** A search finds what Java's {@code find} finds. */
  @ParameterizedTest
  @ValueSource(strings = {"a", "^a", "a$", "^a$", "^a|b$", "", "^", "a|^b$", "(a|b)c"})
  void aSearchMayBeSurrounded(String expression) {
    Regex regex = RegexParser.parse("it", expression, true);
    Node node = Regex.node(regex, true, ByteTree::of, "it");
    Pattern pattern = Pattern.compile(expression);
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 200; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(4); length > 0; length--) {
        text.append((char) ('a' + random.nextInt(3)));
      }
      boolean expected = pattern.matcher(text).find();
      assertEquals(expected, Texts.accepts(node, text.toString()), text::toString);
    }
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of("a(?=b)", "character 4 of a(?=b) is (?="),
        Arguments.of("(?<!b)a", "a look behind"),
        Arguments.of("(a)\\1", "character 5 of (a)\\1 is a reference back"),
        Arguments.of("a++", "a possessive repetition"),
        Arguments.of("\\bword", "\\b, which is not supported"),
        Arguments.of("(a", "a group that is not closed"),
        Arguments.of("a)", "')' without '('"),
        Arguments.of("[a", "a class that is not closed"),
        Arguments.of("*a", "a repetition of nothing"),
        Arguments.of("a{3,2}", "a count from 3 to 2"),
        Arguments.of("a{2", "a count {m}, {m,} or {m,n} that is not whole"),
        Arguments.of("[b-a]", "a range that does not go up"),
        Arguments.of("a\\", "a backslash at the end"),
        Arguments.of("a^b", "the anchor at character 2 is inside"),
        Arguments.of("(a$)+", "the anchor at character 3 is inside"),
        Arguments.of("\\p{Nowhere}", "the unknown property {Nowhere}"),
        Arguments.of("[a&&b]", "a class in a class"),
        Arguments.of("\\ud83d", "half a character"),
        Arguments.of("(".repeat(300), "nested more than 200 deep"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatCannotBeHonouredIsRefusedWithItsPlace(String expression, String message) {
    var e = assertThrows(StructureException.class, () -> Structure.regex(expression));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  /** Counts are numbers, not copies. */
  @Test
  void hugeCountsCostNothing() {
    Node node = node("(?:ab){3,100000000}c{50}");
    assertTrue(Texts.accepts(node, "ab".repeat(5000) + "c".repeat(50)));
    assertFalse(Texts.accepts(node, "ab".repeat(2) + "c".repeat(50)));
    assertFalse(Texts.accepts(node, "ab".repeat(3) + "c".repeat(49)));
  }

  @Test
  void whatMatchesNothingIsRefused() {
    assertThrows(StructureException.class, () -> Structure.regex("a[^\\x{0}-\\x{10ffff}]"));
    assertThrows(StructureException.class, Structure::choice);
  }

  @Test
  void setsOfCharactersAreSets() {
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < 50; i++) {
      CodePoints left = set(random);
      CodePoints right = set(random);
      for (int j = 0; j < 200; j++) {
        int c = random.nextInt(0x300);
        assertEquals(left.contains(c) || right.contains(c), left.or(right).contains(c));
        assertEquals(left.contains(c) && right.contains(c), left.and(right).contains(c));
        assertEquals(left.contains(c) && !right.contains(c), left.minus(right).contains(c));
        assertEquals(!left.contains(c), left.complement().contains(c));
      }
    }
    assertFalse(CodePoints.ALL.contains(0xD800));
    assertFalse(CodePoints.range(0, 0x10FFFF).contains(0xDFFF));
  }

  private static CodePoints set(SplittableRandom random) {
    CodePoints set = CodePoints.NONE;
    for (int runs = random.nextInt(5); runs > 0; runs--) {
      int first = random.nextInt(0x300);
      set = set.or(CodePoints.range(first, first + random.nextInt(0x80)));
    }
    return set;
  }
}
