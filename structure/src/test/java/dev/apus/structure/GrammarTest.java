package dev.apus.structure;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.tokenizer.TokenBytes;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GrammarTest {

  private static final TokenBytes TOKENS = Texts.vocabulary();

  /** JSON, as grammars for it are mostly written. */
  private static final String JSON =
      """
      # The whole text is an object.
      root   ::= object
      value  ::= object | array | string | number | ("true" | "false" | "null") ws

      object ::=
        "{" ws (
                 string ":" ws value   # a member
          ("," ws string ":" ws value)*
        )? "}" ws

      array  ::= "[" ws ( value ("," ws value)* )? "]" ws
      string ::=
        "\\"" (
          [^"\\\\\\x7F\\x00-\\x1F] |
          "\\\\" (["\\\\bfnrt] | "u" [0-9a-cA-C] [0-9a-fA-F]{3})
        )* "\\"" ws
      number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,2})? ws
      ws ::= | " " | "\\n" [ \\t]{0,20}
      """;

  private static final String SUMS =
      """
      root ::= sum "=" [0-9]+ "\\n"
      sum ::= product ([-+] product)*
      product ::= factor ([*/] factor)*
      factor ::= [0-9]+ | "(" sum ")"
      """;

  private static Node node(String grammar) {
    return new RuleGrammar(GrammarParser.parse(grammar), CodePoints.ALL).root();
  }

  @Test
  void jsonIsWrittenAndPassesHoweverItIsCut() {
    Walk walk = new Walk(TOKENS, Structure.grammar(JSON));
    int ended = 0;
    for (int seed = 0; seed < 60; seed++) {
      String text = walk.random(new SplittableRandom(seed), 40);
      if (text != null) {
        assertTrue(Walk.read(text).isObject(), text);
        ended++;
      }
    }
    assertTrue(ended > 40, ended + " ended");
    String text = "{\"name\": [1, -2.5e+1, {}],\n\t\"é🐦\": \"\\u00e9\\n\", \"k\":null}";
    walk.passes(text, new SplittableRandom(1), 30);
    Node json = node(JSON);
    for (String wrong : List.of("{", "[]", "{\"a\":01}", "{\"a\":1,}", "{\"a\":\"\n\"}", "{} x")) {
      assertFalse(Texts.accepts(json, wrong), wrong);
    }
  }

  @Test
  void parenthesesAreClosedAtAnyDepth() {
    Node sums = node(SUMS);
    assertTrue(Texts.accepts(sums, "(1+2)*3=9\n"));
    assertTrue(Texts.accepts(sums, "(".repeat(5000) + "1" + ")".repeat(5000) + "=1\n"));
    assertFalse(Texts.accepts(sums, "((1)=1\n"));
    assertFalse(Texts.accepts(sums, "1+=1\n"));
    assertFalse(Texts.accepts(sums, "1=1"));
    new Walk(TOKENS, Structure.grammar(SUMS))
        .passes("(10+123)*(00-1)=100\n", new SplittableRandom(2), 30);
  }

  @Test
  void everyKindOfPartIsRead() {
    Map<String, List<String>> right =
        Map.of(
            "root ::= \"- \" item{2,3}\nitem ::= [a-c-]+ \"\\n\"",
                List.of("- a\nb-\n", "- a\nb\nc\n"),
            "root ::= .{2} | \"\\U0001F426\"", List.of("é🐦", "🐦"),
            "root ::= [^a-y\\]]? \"x\"{,2} (\"y\")\n\n# end", List.of("y", "zxxy"),
            "root ::= a-1\r\na-1 ::= \"\\u00e9\"+ |\n \"\\x41\"*", List.of("éé", "AAA", ""),
            "root ::= \"a\" root | \"\"", List.of("", "aaaa"));
    right.forEach(
        (grammar, texts) ->
            texts.forEach(text -> assertTrue(Texts.accepts(node(grammar), text), grammar + text)));
    assertFalse(Texts.accepts(node("root ::= [^a-y\\]]? \"x\"{,2} \"y\""), "xxxxy"));
    assertFalse(Texts.accepts(node("root ::= \"- \" item{2,3}\nitem ::= [a-c-]+"), "- "));
    assertNotNull(
        new Walk(TOKENS, Structure.grammar("root ::= \"a\" root \"b\" | \"c\""))
            .random(new SplittableRandom(3), 9));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "root ::= \"a~line 1, column 10: a text whose quotes are not closed",
        "root ::= [a~line 1, column 10: a class of characters that is not closed",
        "root ::= [b-a]~line 1, column 10: a range whose end comes before",
        "root ::= (\"a\"~line 1, column 10: a parenthesis that is not closed",
        "root ::= \"a\")~line 1, column 13: unexpected )",
        "root ::= *~line 1, column 10: nothing that could be repeated",
        "root ::= \"a\"{2,1}~line 1, column 13: needed: {n}",
        "root ::= \"\\q\"~line 1, column 12: an escape that is unknown",
        "root ::= \"\\xg0\"~line 1, column 13: needed: 2 hexadecimal digits",
        "root ::= <think>~line 1, column 10: tokens, such as <think>, are not supported",
        "root = \"a\"~line 1, column 6: needed: ::=",
        "`root ::= \"a\"\nb ::= c`~line 2, column 7: there is no rule c",
        "`root ::= \"a\"\nroot ::= \"b\"`~line 2, column 1: there is a rule root before",
        "a ::= \"b\"~has no rule root",
        "`root ::= \"x\" sum\n"
            + "sum ::= sum \"+\" \"1\"`~line 2: the rule sum begins with itself (sum → sum)",
        "`root ::= a?\n"
            + "a ::= \"\"* b\n"
            + "b ::= [x]? a`~line 2: the rule a begins with itself (a → b → a)",
        "root ::= \"a\" root~no text is of this form"
      })
  void whatCannotBeReadIsRefusedWithItsPlace(String grammar, String message) {
    var e = assertThrows(StructureException.class, () -> Structure.grammar(grammar));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }
}
