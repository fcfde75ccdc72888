package dev.apus.core.file;

import static dev.apus.core.file.GgufBuilder.ARRAY;
import static dev.apus.core.file.GgufBuilder.BOOL;
import static dev.apus.core.file.GgufBuilder.STRING;
import static dev.apus.core.file.GgufBuilder.UINT32;
import static dev.apus.core.file.GgufBuilder.UINT64;
import static dev.apus.core.file.GgufBuilder.UINT8;
import static dev.apus.core.file.GgufBuilder.array;
import static dev.apus.core.file.GgufBuilder.i16;
import static dev.apus.core.file.GgufBuilder.i32;
import static dev.apus.core.file.GgufBuilder.i64;
import static dev.apus.core.file.GgufBuilder.i8;
import static dev.apus.core.file.GgufBuilder.string;
import static dev.apus.core.file.GgufBuilder.utf8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way to break a GGUF file is refused when it is opened, with a sentence of its own. */
class GgufFaultsTest {

  @ParameterizedTest(name = "{0}")
  @MethodSource({"starts", "counts", "metadata", "tensors", "types", "places"})
  void isRefused(String fault, byte[] file, String message) {
    var e =
        assertThrows(FormatException.class, () -> Gguf.of("m.gguf", MemorySegment.ofArray(file)));
    assertEquals("m.gguf: " + message, e.getMessage());
  }

  static Stream<Arguments> starts() {
    return Stream.of(
        arguments(
            "an empty file",
            new byte[0],
            "needs 1 bytes at byte 0 of a file of 0; the file is cut short"),
        fault("another magic", valid().lie("magic", utf8("GGML")), "does not start with GGUF"),
        fault(
            "a zip",
            valid().lie("magic", new byte[] {'P', 'K', 3, 4}),
            "does not start with GGUF; it looks like a zip or PyTorch file: convert it"),
        fault("version 0", valid().lie("version", i32(0)), "is GGUF version 0; supported: 2 and 3"),
        fault(
            "version 1",
            valid().lie("version", i32(1)),
            "is GGUF version 1, of 2023; convert the model anew, to version 3"),
        fault("version 4", valid().lie("version", i32(4)), "is GGUF version 4; supported: 2 and 3"),
        fault(
            "version 2^32 - 1",
            valid().lie("version", i32(-1)),
            "is GGUF version 4294967295; supported: 2 and 3"),
        fault(
            "a big-endian file",
            valid().lie("version", i32(Integer.reverseBytes(3))),
            "is big-endian; convert it to little-endian"));
  }

  static Stream<Arguments> counts() {
    return Stream.of(
        fault(
            "2^64 - 1 tensors",
            valid().lie("tensors", i64(-1)),
            "has 18446744073709551615 as its number of tensors, which is too large"),
        fault(
            "2^63 keys",
            valid().lie("keys", i64(Long.MIN_VALUE)),
            "has 9223372036854775808 as its number of metadata keys, which is too large"),
        fault(
            "tensors whose size wraps around",
            valid().lie("tensors", i64(Long.MAX_VALUE / 8)),
            "claims 1152921504606846975 tensors and 1 metadata keys; at most 1000000 and 1000000"
                + " make sense"),
        fault(
            "more tensors than the file can hold",
            valid().lie("tensors", i64(1000)),
            "claims 1000 tensors and 1 metadata keys, which take 25014 bytes at least; 202 follow,"
                + " so the file is cut short"),
        fault(
            "more keys than the file can hold",
            valid().lie("keys", i64(1_000_000)),
            "claims 2 tensors and 1000000 metadata keys, which take 14000050 bytes at least; 202"
                + " follow, so the file is cut short"));
  }

  static Stream<Arguments> metadata() {
    String place = "metadata key general.architecture ";
    return Stream.of(
        fault(
            "a key of 2^64 - 1 bytes",
            valid().lie("key 0 length", i64(-1)),
            "metadata key number 1 has 18446744073709551615 as its name length, which is too"
                + " large"),
        fault(
            "a key over its limit",
            valid().lie("key 0 length", i64(65_536)),
            "metadata key number 1 has a name of 65536 bytes; at most 65535 make sense"),
        fault(
            "a key past the end",
            valid().lie("key 0 length", i64(60_000)),
            "metadata key number 1 needs 60000 bytes at byte 32 of a file of 226; the file is cut"
                + " short"),
        fault(
            "an empty key",
            valid().lie("key 0 length", i64(0)).lie("key 0 name", new byte[0]),
            "metadata key number 1 has an empty name"),
        fault(
            "a key that is not UTF-8",
            valid().lie("key 0 length", i64(1)).lie("key 0 name", i8(0xFF)),
            "metadata key number 1 has a name that is not UTF-8"),
        fault(
            "two equal keys",
            valid().key("general.architecture", STRING, string("mamba")),
            place + "is there twice"),
        fault(
            "an unknown value type",
            valid().lie("key 0 type", i32(13)),
            place + "has the unknown type 13; known: 0 to 12"),
        fault(
            "a value type of 2^32 - 1",
            valid().lie("key 0 type", i32(-1)),
            place + "has the unknown type 4294967295; known: 0 to 12"),
        fault(
            "a string of 2^64 - 1 bytes",
            valid().lie("key 0 value", i64(-1)),
            place + "has 18446744073709551615 as its string length, which is too large"),
        fault(
            "a string past the end",
            valid().lie("key 0 value", i64(1 << 20)),
            place + "needs 1048576 bytes at byte 64 of a file of 226; the file is cut short"),
        fault(
            "a string over its limit",
            valid().lie("key 0 value", i64(1L << 40)),
            place + "has a string of 1099511627776 bytes; at most 67108864 make sense"),
        fault(
            "a string that is not UTF-8",
            valid().key("s", STRING, concat(i64(2), i16(0x80C0))),
            "metadata key s has a string that is not UTF-8"),
        fault(
            "a boolean of 2",
            valid().key("b", BOOL, i8(2)),
            "metadata key b is a boolean of 2; needed: 0 or 1"),
        fault(
            "a boolean of 255 in an array",
            valid().key("b", ARRAY, array(BOOL, 1, i8(255))),
            "metadata key b is a boolean of 255; needed: 0 or 1"),
        fault(
            "a number over 2^63",
            valid().key("n", UINT64, i64(-1)),
            "metadata key n has 18446744073709551615 as its value, which is too large"),
        fault(
            "a number over 2^63 in an array",
            valid().key("n", ARRAY, array(UINT64, 1, i64(-2))),
            "metadata key n holds 18446744073709551614; too large"),
        fault(
            "an array of 2^64 - 1 values",
            valid().key("n", ARRAY, array(UINT8, -1)),
            "metadata key n has 18446744073709551615 as its length, which is too large"),
        fault(
            "an array longer than the file",
            valid().key("n", ARRAY, array(UINT32, 1 << 20)),
            "metadata key n claims 1048576 values of type UINT32, and 164 bytes follow; the file is"
                + " cut short"),
        fault(
            "an array of strings longer than the file",
            valid().key("n", ARRAY, array(STRING, 1 << 20)),
            "metadata key n claims 1048576 values of type STRING, and 164 bytes follow; the file is"
                + " cut short"),
        fault(
            "an array of an unknown type",
            valid().key("n", ARRAY, array(99, 1)),
            "metadata key n has the unknown type 99; known: 0 to 12"),
        fault(
            "an array of arrays",
            valid().key("n", ARRAY, array(ARRAY, 1, array(UINT8, 1, i8(1)))),
            "metadata key n is an array of arrays, which GGUF models do not have"),
        fault(
            "a key with a line break",
            valid().key("a\nb", 99, new byte[0]),
            "metadata key a\\u{a}b has the unknown type 99; known: 0 to 12"));
  }

  static Stream<Arguments> tensors() {
    return Stream.of(
        fault(
            "a name of 2^64 - 1 bytes",
            valid().lie("tensor 0 length", i64(-1)),
            "tensor number 1 has 18446744073709551615 as its name length, which is too large"),
        fault(
            "a name over its limit",
            valid().lie("tensor 0 length", i64(1025)),
            "tensor number 1 has a name of 1025 bytes; at most 1024 make sense"),
        fault(
            "an empty name",
            valid().lie("tensor 0 length", i64(0)).lie("tensor 0 name", new byte[0]),
            "tensor number 1 has an empty name"),
        fault(
            "two equal names", valid().lie("tensor 1 name", utf8("a")), "tensor a is there twice"),
        fault(
            "five dimensions",
            valid().lie("tensor 0 rank", i32(5)),
            "tensor a has 5 dimensions; at most 4"),
        fault(
            "2^32 - 1 dimensions",
            valid().lie("tensor 0 rank", i32(-1)),
            "tensor a has 4294967295 dimensions; at most 4"),
        fault(
            "a dimension of 0",
            valid().lie("tensor 0 dimension 1", i64(0)),
            "tensor a has a dimension of 0; needed: 1 to 281474976710656"),
        fault(
            "a dimension of 2^64 - 1",
            valid().lie("tensor 0 dimension 1", i64(-1)),
            "tensor a has 18446744073709551615 as its dimension, which is too large"),
        fault(
            "elements past 64 bits",
            valid()
                .lie("tensor 0 dimension 0", i64(1L << 40))
                .lie("tensor 0 dimension 1", i64(1L << 40)),
            "tensor a is too large: 1099511627776 times 1099511627776 does not fit 64 bits"),
        fault(
            "bytes past 64 bits",
            valid()
                .lie("tensor 0 dimension 0", i64(1L << 40))
                .lie("tensor 0 dimension 1", i64(1L << 22)),
            "tensor a is too large: 4611686018427387904 times 4 does not fit 64 bits"),
        fault(
            "rows that are no whole blocks",
            valid().lie("tensor 1 dimension 0", i64(100)),
            "tensor b has rows of 100 values; Q8_0 stores blocks of 32, so rows must be a multiple"
                + " of that"));
  }

  static Stream<Arguments> types() {
    String[] removed = {
      "4, Q4_2",
      "5, Q4_3",
      "31, Q4_0_4_4",
      "32, Q4_0_4_8",
      "33, Q4_0_8_8",
      "36, IQ4_NL_4_4",
      "37, IQ4_NL_4_8",
      "38, IQ4_NL_8_8"
    };
    return Stream.concat(
        Stream.of(removed)
            .map(
                type ->
                    fault(
                        "removed type " + type,
                        valid().lie("tensor 0 type", i32(Integer.parseInt(type.split(",")[0]))),
                        "tensor a has type "
                            + type
                            + ", which was removed in GGUF; quantise it anew")),
        IntStream.of(43, 1000, -1)
            .mapToObj(
                id ->
                    fault(
                        "unknown type " + id,
                        valid().lie("tensor 0 type", i32(id)),
                        "tensor a has the unknown type "
                            + Integer.toUnsignedString(id)
                            + "; known: 0 to 42")));
  }

  static Stream<Arguments> places() {
    return Stream.of(
        fault(
            "an alignment of 0",
            valid().key("general.alignment", UINT32, i32(0)),
            "metadata key general.alignment is 0; needed: a power of two up to 1048576"),
        fault(
            "an alignment of 33",
            valid().key("general.alignment", UINT32, i32(33)),
            "metadata key general.alignment is 33; needed: a power of two up to 1048576"),
        fault(
            "an alignment of 2^31",
            valid().key("general.alignment", UINT32, i32(1 << 31)),
            "metadata key general.alignment is 2147483648; needed: a power of two up to 1048576"),
        fault(
            "an alignment of another type",
            valid().key("general.alignment", UINT64, i64(32)),
            "metadata key general.alignment is UINT64; needed: UINT32"),
        fault(
            "an alignment that the file does not keep",
            valid().key("general.alignment", UINT32, i32(64)),
            "tensor b has offset 32; needed: 64"),
        fault(
            "tensors that overlap",
            valid().lie("tensor 1 offset", i64(0)),
            "tensor b has offset 0; needed: 32"),
        fault(
            "a hole",
            valid().lie("tensor 1 offset", i64(64)),
            "tensor b has offset 64; needed: 32"),
        fault(
            "an offset of 2^64 - 1",
            valid().lie("tensor 1 offset", i64(-1)),
            "tensor b has 18446744073709551615 as its offset, which is too large"),
        fault(
            "a tensor past the end",
            valid().lie("tensor 1 dimension 1", i64(2)),
            "tensor b ends at byte 260 of a file of 226; the file is cut short"),
        fault(
            "a tensor past the end of 64 bits",
            valid()
                .lie("tensor 0 dimension 0", i64((1L << 30) - 1))
                .lie("tensor 0 dimension 1", i64((1L << 31) + 2)),
            "tensor a is too large: 160 plus 9223372036854775800 does not fit 64 bits"),
        fault(
            "something behind the last tensor",
            valid().trailer(31),
            "has 1 bytes after its last tensor"));
  }

  @ParameterizedTest(name = "an array of {0} values of type {1}")
  @CsvSource({
    "16777217, 4, takes 67108868 bytes; at most 67108864 make sense",
    "8388609, 8, takes 67108872 bytes; at most 67108864 make sense",
    "67108865, 7, takes 67108865 bytes; at most 67108864 make sense",
  })
  void anArrayMayNotBeHuge(int count, int type, String message) {
    byte[] start = new GgufBuilder().key("n", ARRAY, array(type, count)).build();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment file = arena.allocate(start.length + 8L * count);
      MemorySegment.copy(start, 0, file, ValueLayout.JAVA_BYTE, 0, start.length);
      var e = assertThrows(FormatException.class, () -> Gguf.of("m.gguf", file));
      assertEquals("m.gguf: metadata key n " + message, e.getMessage());
    }
  }

  private static GgufBuilder valid() {
    return GgufBuilder.valid();
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static Arguments fault(String name, GgufBuilder file, String message) {
    return arguments(name, file.build(), message);
  }
}
