package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Normalizers, and pre-tokenizers that respell; expected is what the reference answers. */
class SpellingTest {

  private static Section section(String json) throws IOException {
    return new Section("f", "p", new ObjectMapper().readTree(json.replace('\'', '"')));
  }

  @ParameterizedTest
  @CsvSource(
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "always,true,a b,▁a/▁b",
        "always,true,  a  b ,▁/▁a/▁/▁b/▁",
        "always,true,▁a,▁a",
        "always,true,' ',▁",
        "always,true,\u00a0a b,▁\u00a0a/▁b",
        "first,true,a b,▁a/▁b",
        "never,true,a b,a/▁b",
        "never,true,  a,▁/▁a",
        "always,false,  a  b ,▁▁a▁▁b▁",
        "always,false,a b,▁a▁b"
      })
  void metaspaceMarksSpaces(String scheme, boolean split, String text, String pieces)
      throws IOException {
    PreTokenizer metaspace =
        PreTokenizer.read(
            section(
                "{'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': '%s', 'split': %s}"
                    .formatted(scheme, split)));
    assertEquals(pieces, pieces(metaspace, text, true));
  }

  @ParameterizedTest
  @CsvSource({"always, ▁a", "first, a", "never, a"})
  void metaspaceKnowsWhetherATextBegins(String scheme, String pieces) throws IOException {
    PreTokenizer metaspace =
        PreTokenizer.read(
            section(
                "{'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': '" + scheme + "'}"));
    assertEquals(pieces, pieces(metaspace, "a", false));
  }

  private static String pieces(PreTokenizer cutter, String text, boolean first) {
    List<PreTokenizer.Piece> pieces = new ArrayList<>();
    cutter.split(new PreTokenizer.Piece(text, first), pieces);
    return pieces.stream().map(PreTokenizer.Piece::text).collect(Collectors.joining("/"));
  }

  @ParameterizedTest
  @CsvSource({"a.b  c\u00a0d_e—f$x ¿日+, a/./b/c/d/_/e/—/f/$/x/¿/日/+", "' ', ''"})
  void bertCutsWordsAndMarks(String text, String pieces) throws IOException {
    assertEquals(
        pieces, pieces(PreTokenizer.read(section("{'type': 'BertPreTokenizer'}")), text, true));
  }

  @ParameterizedTest
  @CsvSource(
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "true,a\u0000b\ufffdc\u200bd\tE,abcd e",
        "true,Äé中文a日,ae 中  文 a 日 ",
        "true,İSß,isß",
        "true,ΑΣ,ασ",
        "true,\ue000x\u00ad,x",
        "true, e\u0301, e",
        "false,Äé中文a日,Äé 中  文 a 日 ",
        "false,a\u0000b\ufffdc\u200bd\tE,abcd E"
      })
  void bertNormalizes(boolean lowercase, String text, String normalized) throws IOException {
    TextNormalizer bert =
        TextNormalizer.read(section("{'type': 'BertNormalizer', 'lowercase': " + lowercase + "}"));
    assertEquals(normalized, bert.apply(text));
  }

  @ParameterizedTest
  @CsvSource(
      ignoreLeadingAndTrailingWhitespace = false,
      delimiter = ';',
      value = {
        "{'type': 'Prepend', 'prepend': '▁'};a;▁a",
        "{'type': 'Replace', 'pattern': {'String': ' '}, 'content': '▁'}; a b;▁a▁b",
        "{'type': 'Replace', 'pattern': {'Regex': ' {2,}'}, 'content': ' '};a   b c;a b c",
        "{'type': 'Lowercase'};AbΣİ;abσi\u0307",
        "{'type': 'StripAccents'};b\u0301é;bé",
        "{'type': 'NFKC'};ﬁＡ½;fiA1⁄2"
      })
  void normalizes(String json, String text, String normalized) throws IOException {
    assertEquals(normalized, TextNormalizer.read(section(json)).apply(text));
  }

  @ParameterizedTest
  @CsvSource({
    "'{''type'': ''BertProcessing'', ''sep'': [''e'', 2], ''cls'': [''s'', 1]}', 1 0 2",
    "'{''type'': ''RobertaProcessing'', ''sep'': [''e'', 2], ''cls'': [''s'', 1]}', 1 0 2",
    "'{''type'': ''ByteLevel''}', 0"
  })
  void surroundsTexts(String json, String ids) {
    int[] found = TinyFile.letters("ase").set("post_processor", json).read().encode("a");
    assertEquals(
        ids, Arrays.stream(found).mapToObj(Integer::toString).collect(Collectors.joining(" ")));
  }

  @ParameterizedTest
  @CsvSource({"0, 2 0 1", "1, 2 0 1"})
  void surroundsTextsByTemplate(int inSequence, String ids) {
    String template =
        "{'type': 'TemplateProcessing', 'single': [{'SpecialToken': {'id': 'e', 'type_id': 0}},"
            + " {'Sequence': {'id': 'A', 'type_id': 0}}, {'SpecialToken': {'id': 's'}}], 'pair':"
            + " [], 'special_tokens': {'e': {'id': 'e', 'ids': [2]}, 's': {'id': 's', 'ids':"
            + " [1]}}}";
    String json =
        inSequence == 0
            ? template
            : "{'type': 'Sequence', 'processors': [{'type': 'ByteLevel'}, " + template + "]}";
    surroundsTexts(json, ids);
  }
}
