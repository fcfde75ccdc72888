package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every way to break a safetensors file is refused when it is opened, with a sentence of its own.
 */
class SafetensorsFaultsTest {

  private static final String OFFSETS_A = "\"data_offsets\":[0,24]";

  @ParameterizedTest(name = "{0}")
  @MethodSource({"lengths", "texts", "structures", "shapes", "places"})
  void isRefused(String fault, byte[] file, String message) {
    var e =
        assertThrows(
            FormatException.class,
            () -> Safetensors.of("m.safetensors", MemorySegment.ofArray(file)));
    assertEquals("m.safetensors: " + message, e.getMessage());
  }

  static Stream<Arguments> lengths() {
    return Stream.of(
        fault("an empty file", new byte[0], "has 0 bytes; a safetensors file has at least 8"),
        fault("seven bytes", new byte[7], "has 7 bytes; a safetensors file has at least 8"),
        fault(
            "a header longer than the file",
            valid().header("").dataBytes(0).claimedLength(60),
            "claims a header of 60 bytes, and 0 follow; the file is cut short"),
        fault(
            "a header longer by one",
            valid().claimedLength(valid().build().length - 8 + 1),
            "claims a header of 177 bytes, and 176 follow; the file is cut short"),
        fault(
            "a length of 2^63",
            valid().claimedLength(Long.MIN_VALUE),
            "claims a header of 9223372036854775808 bytes; safetensors allows 100000000"),
        fault(
            "a length of 2^64 - 1",
            valid().claimedLength(-1),
            "claims a header of 18446744073709551615 bytes; safetensors allows 100000000"),
        fault(
            "a length over the limit",
            valid().claimedLength(100_000_001),
            "claims a header of 100000001 bytes; safetensors allows 100000000"),
        fault(
            "a GGUF file",
            GgufBuilder.valid().build(),
            "claims a header of 14064895815 bytes; safetensors allows 100000000; it looks like a"
                + " GGUF file"),
        fault(
            "a web page",
            "<!DOCTYPE html>".getBytes(StandardCharsets.UTF_8),
            "claims a header of 5789751444030890300 bytes; safetensors allows 100000000; it looks"
                + " like a web page: the download went wrong"),
        fault(
            "a Git LFS pointer",
            "version https://git-lfs.github.com/spec/v1\n".getBytes(StandardCharsets.UTF_8),
            "claims a header of 2336927755350992246 bytes; safetensors allows 100000000; it looks"
                + " like a Git LFS pointer: fetch the file that it stands for"));
  }

  static Stream<Arguments> texts() {
    byte[] invalid = "{\"?\":{}}".getBytes(StandardCharsets.UTF_8);
    invalid[2] = (byte) 0xFF;
    byte[] overlong = "{\"??\":{}}".getBytes(StandardCharsets.UTF_8);
    overlong[2] = (byte) 0xC0;
    overlong[3] = (byte) 0x80;
    return Stream.of(
        fault("a byte 0xFF", alone(invalid), "header, line 1, column 3: not UTF-8 at byte 2"),
        fault("overlong UTF-8", alone(overlong), "header, line 1, column 3: not UTF-8 at byte 2"),
        fault(
            "UTF-16",
            alone("{}".getBytes(StandardCharsets.UTF_16LE)),
            "header, line 1, column 3: not JSON: Illegal character ((CTRL-CHAR, code 0)): only"
                + " regular white space (\\r, \\n, \\t) is allowed between tokens"),
        fault(
            "a byte order mark",
            alone("\uFEFF{}".getBytes(StandardCharsets.UTF_8)),
            "header, line 1, column 1: starts with a byte order mark; save it without one"),
        fault(
            "a lone surrogate",
            alone("{\"\\ud800\":1}"),
            "header, line 1, column 9: not JSON: Broken surrogate pair in field name: expected '\\'"
                + " to start low surrogate, got 0x22"),
        fault(
            "a lone surrogate in a value",
            valid().lie("\"pt\"", "\"\\udc00\""),
            "header, line 1, column 27: half a character (a lone surrogate) in \"\\u{dc00}\""),
        fault("a list", alone("[]"), "header, line 1, column 1: needs an object, {…}, at the top"),
        fault("null", alone("null"), "header, line 1, column 1: needs an object, {…}, at the top"),
        fault("nothing", alone(""), "header, line 1, column 1: the text ends here, unfinished"),
        fault(
            "half an object",
            alone("{"),
            "header, line 1, column 2: the text ends here, unfinished"),
        fault(
            "text behind the object",
            alone("{}x"),
            "header, line 1, column 3: not JSON: Unrecognized token 'x': was expecting (JSON"
                + " String, Number (or 'NaN'/'+INF'/'-INF'), Array, Object or token 'n… (144"
                + " characters)"),
        fault(
            "two documents",
            alone("{} {}"),
            "header, line 1, column 4: something follows the end of the document"),
        fault(
            "a tower of lists",
            alone("{\"a\":" + "[".repeat(100_000)),
            "tensor a needs an object with dtype, shape and data_offsets"),
        fault(
            "a tower in a field",
            valid().lie("[2,3]", "[".repeat(20)),
            "tensor a has [ in its shape; needed: whole numbers from 0 to 281474976710656"),
        fault(
            "NaN",
            valid().lie("[2,3]", "[NaN,3]"),
            "tensor a has NaN in its shape; needed: whole numbers from 0 to 281474976710656"));
  }

  static Stream<Arguments> structures() {
    return Stream.of(
        fault(
            "two tensors of one name",
            valid().lie("\"b\":", "\"a\":"),
            "tensor a is in the header twice"),
        fault(
            "two shapes",
            valid().lie("\"shape\":[2,3]", "\"shape\":[2,3],\"shape\":[2,3]"),
            "tensor a has shape twice"),
        fault(
            "metadata twice",
            valid().lie("\"a\":", "\"__metadata__\":{},\"a\":"),
            "tensor __metadata__ is in the header twice"),
        fault(
            "metadata of a number",
            valid().lie("\"pt\"", "1"),
            "header, line 1, column 27: __metadata__ holds strings only, not as \"format\""),
        fault(
            "metadata of an object",
            valid().lie("\"pt\"", "{}"),
            "header, line 1, column 27: __metadata__ holds strings only, not as \"format\""),
        fault(
            "metadata that is no object",
            valid().lie("{\"format\":\"pt\"}", "[]"),
            "header, line 1, column 17: __metadata__ needs an object of strings"),
        fault(
            "a metadata key twice",
            valid().lie("\"pt\"", "\"pt\",\"format\":\"tf\""),
            "header, line 1, column 41: __metadata__ holds \"format\" twice"),
        fault(
            "an unknown field",
            valid().lie("\"shape\":[2,3]", "\"shape\":[2,3],\"strides\":[3,1]"),
            "tensor a has a field \"strides\"; safetensors knows dtype, shape and data_offsets"),
        fault(
            "a missing field",
            valid().lie("\"dtype\":\"F32\",", ""),
            "tensor a needs dtype, shape and data_offsets, and one is missing"),
        fault(
            "a dtype that is a number",
            valid().lie("\"F32\"", "32"),
            "tensor a has a dtype that is no string: 32"),
        fault(
            "an unprintable name",
            valid().lie("\"a\":{", "\"../a\\n\\u0000\\u202e\":1,\"c\":{"),
            "tensor ../a\\u{a}\\u{0}\\u{202e} needs an object with dtype, shape and data_offsets"),
        fault(
            "a name of a megabyte",
            alone("{\"" + "n".repeat(1 << 20) + "\":1}"),
            "tensor "
                + "n".repeat(120)
                + "… (1048576 characters) needs an object with dtype, shape and data_offsets"));
  }

  static Stream<Arguments> shapes() {
    Stream<Arguments> numbers =
        Stream.of("-1", "4.0", "1e3", "\"4\"", "null", "9223372036854775808", "[2]", "true")
            .map(
                n ->
                    fault(
                        "a dimension of " + n,
                        valid().lie("[2,3]", "[" + n + ",3]"),
                        "tensor a has "
                            + (n.startsWith("[") ? "[" : n.replace("\"", ""))
                            + " in its shape; needed: whole numbers from 0 to 281474976710656"));
    return Stream.concat(
        numbers,
        Stream.of(
            fault(
                "a dimension over 2^48",
                valid().lie("[2,3]", "[2,9223372036854775807]"),
                "tensor a has 9223372036854775807 in its shape; needed: whole numbers from 0 to"
                    + " 281474976710656"),
            fault(
                "a shape that is no list",
                valid().lie("[2,3]", "6"),
                "tensor a has a shape that is no list: 6"),
            fault(
                "elements past 64 bits",
                valid().lie("[2,3]", "[4294967296,4294967296]"),
                "tensor a is too large: 4294967296 times 4294967296 does not fit 64 bits"),
            fault(
                "bits past 64 bits",
                valid().lie("[2,3]", "[281474976710656,16384]"),
                "tensor a is too large: 4611686018427387904 times 32 does not fit 64 bits"),
            fault(
                "a size that does not fit the shape",
                valid().lie("[2,3]", "[2,4]"),
                "tensor a holds 24 bytes; F32 [2, 4] takes 32"),
            fault(
                "half a byte",
                valid().lie("\"F32\",\"shape\":[2,3]", "\"F4\",\"shape\":[47]"),
                "tensor a has 47 values of 4 bits, which do not fill whole bytes")));
  }

  static Stream<Arguments> places() {
    return Stream.of(
        fault(
            "an end before its begin",
            valid().lie(OFFSETS_A, "\"data_offsets\":[24,0]"),
            "tensor a has data_offsets [24, 0]; needed: [begin, end]"),
        fault(
            "a negative begin",
            valid().lie(OFFSETS_A, "\"data_offsets\":[-24,0]"),
            "tensor a has -24 in its data_offsets; needed: whole numbers from 0 to"
                + " 9223372036854775807"),
        fault(
            "three offsets",
            valid().lie(OFFSETS_A, "\"data_offsets\":[0,12,24]"),
            "tensor a has data_offsets [0, 12, 24]; needed: [begin, end]"),
        fault(
            "a hole",
            valid().lie("[24,32]", "[32,40]").dataBytes(40),
            "tensor b begins at byte 32 of the data; the one before it ends at 24, so they leave a"
                + " hole"),
        fault(
            "a hole at the start",
            valid()
                .lie(OFFSETS_A, "\"data_offsets\":[8,32]")
                .lie("[24,32]", "[32,40]")
                .dataBytes(40),
            "tensor a begins at byte 8 of the data; the one before it ends at 0, so they leave a"
                + " hole"),
        fault(
            "an overlap",
            valid().lie("[24,32]", "[16,24]").dataBytes(24),
            "tensor b begins at byte 16 of the data; the one before it ends at 24, so they"
                + " overlap"),
        fault(
            "ten tensors on one range",
            alone(tenOnOneRange(), 8),
            "tensor t1 begins at byte 0 of the data; the one before it ends at 8, so they overlap"),
        fault(
            "an offset at the end of 64 bits",
            valid().lie(OFFSETS_A, "\"data_offsets\":[9223372036854775783,9223372036854775807]"),
            "tensor b begins at byte 24 of the data; the one before it ends at 0, so they leave a"
                + " hole"),
        fault(
            "something behind the last tensor",
            valid().dataBytes(33),
            "has 1 bytes after its last tensor"),
        fault(
            "two bytes missing",
            valid().dataBytes(30),
            "tensor b ends at byte 32 of 30 bytes of data; the file is cut short"));
  }

  private static String tenOnOneRange() {
    var json = new StringBuilder("{");
    for (int i = 0; i < 10; i++) {
      json.append(i == 0 ? "" : ",")
          .append("\"t%d\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}".formatted(i));
    }
    return json.append('}').toString();
  }

  private static SafetensorsBuilder valid() {
    return SafetensorsBuilder.valid();
  }

  private static byte[] alone(String header) {
    return alone(header, 0);
  }

  private static byte[] alone(String header, int dataBytes) {
    return valid().header(header).dataBytes(dataBytes).build();
  }

  private static byte[] alone(byte[] header) {
    return valid().header(header).dataBytes(0).build();
  }

  private static Arguments fault(String name, SafetensorsBuilder file, String message) {
    return fault(name, file.build(), message);
  }

  private static Arguments fault(String name, byte[] file, String message) {
    return arguments(name, Arrays.copyOf(file, file.length), message);
  }
}
