package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** How the names that GGUF files give cut a text. */
class GgufPreTest {

  private static final String TEXT =
      "It's 1234567 AB cd.Ef, ünïcode — 漢字かな 한글 x²½ «ok» don'T!?\r\n\n   end\t<sentinel:1> ";

  static Stream<String> names() {
    return GgufPre.names().stream();
  }

  private static List<String> cut(String name, String text) {
    GgufPre pre = GgufPre.of(name);
    List<PreTokenizer.Piece> pieces = new ArrayList<>();
    pre.preTokenizer(name).split(new PreTokenizer.Piece(text, true), pieces);
    return pieces.stream()
        .map(PreTokenizer.Piece::text)
        .map(
            piece ->
                pre.spaced()
                    ? piece
                    : new String(ByteAlphabet.bytes(piece), StandardCharsets.UTF_8))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("names")
  void everyNameCutsWithoutLoss(String name) {
    List<String> pieces = cut(name, TEXT);
    assertEquals(TEXT, String.join("", pieces));
    assertEquals(false, pieces.contains(""));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "tiny_aya; a 1234567 b 12x 12 123; a| |1|234|567| b| |12|x| |12| |123",
        "llama-bpe; I'll pay 12345!; I|'ll| pay| |123|45|!",
        "gpt-2; I'll pay 12345!; I|'ll| pay| 12345|!",
        "smollm; pay 12 a; pay| |1|2| a",
        "falcon; x+y 12345; x|+|y| |123|45",
        "deepseek-v3; Hi日本#x 1234; Hi|日本|#x| |123|4",
        "deepseek-coder; Hi日本 x 12; Hi|日本| x| |1|2",
        "poro-chat; a b, c d.; a| b|,| c| d|.",
        "viking; ab12 c; ab|1|2| c",
        "tekken; Don't ABc; Don|'t| ABc",
        "kimi-k2; ab漢字cd 1234; ab|漢字|cd| |123|4",
        "default; x+y 12345; x|+|y| |123|45",
        "superbpe; a b 1234567 c; a b |1|234|567| c",
        "afmoe; Hi日本#x 1234a; Hi|日本|#x| |1|234|a",
        "ufakzeka; ali'nin; ali|'nin"
      })
  void cutsAsItsMakersDo(String name, String text, String pieces) {
    assertEquals(pieces, cut(name, text).stream().collect(Collectors.joining("|")));
  }
}
