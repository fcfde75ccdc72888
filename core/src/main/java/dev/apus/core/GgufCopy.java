package dev.apus.core;

import dev.apus.core.file.FormatException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.weight.RandomTensors.Made;
import dev.apus.kernels.block.WeightFormat;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes the metadata of a GGUF file into another. */
final class GgufCopy {

  /** What a file is called by the format of most of its values. */
  private static final Map<WeightFormat, Integer> FILE_TYPES =
      Map.of(
          WeightFormat.F32, 0,
          WeightFormat.F16, 1,
          WeightFormat.Q4_0, 2,
          WeightFormat.Q8_0, 7,
          WeightFormat.Q4_K, 15,
          WeightFormat.Q5_K, 17,
          WeightFormat.Q6_K, 18,
          WeightFormat.BF16, 32,
          WeightFormat.MXFP4, 38);

  private GgufCopy() {}

  static int fileType(WeightFormat format) {
    return FILE_TYPES.get(format);
  }

  /** The number of the format that most matrices have. */
  static int fileType(List<Made> tensors) {
    return tensors.stream()
        .filter(Made::matrix)
        .collect(Collectors.groupingBy(Made::format, Collectors.counting()))
        .entrySet()
        .stream()
        .max(Comparator.comparingLong(Map.Entry::getValue))
        .map(entry -> fileType(entry.getKey()))
        .orElse(0);
  }

  /**
   * Everything but what is said of parts and of formats.
   *
   * @throws FormatException if a value has no place in the writer
   */
  static void metadata(Gguf from, GgufWriter to) {
    from.metadata()
        .forEach(
            (key, value) -> {
              if (!key.startsWith("split.")
                  && !key.equals("general.file_type")
                  && !key.equals("general.alignment")) {
                put(from, to, key, value);
              }
            });
  }

  private static void put(Gguf from, GgufWriter to, String key, Object value) {
    switch (value) {
      case String text -> to.text(key, text);
      case Boolean flag -> to.flag(key, flag);
      case Long whole when whole >= 0 && whole <= 0xFFFF_FFFFL -> to.u32(key, whole);
      case Long whole when whole < 0 && whole >= Integer.MIN_VALUE -> to.i32(key, whole.intValue());
      case Long whole -> to.i64(key, whole);
      case Double number when number == number.floatValue() || number.isNaN() ->
          to.f32(key, number.floatValue());
      case Double number -> to.f64(key, number);
      case byte[] bytes -> to.u8s(key, bytes);
      case int[] numbers -> to.i32s(key, numbers);
      case float[] numbers -> to.f32s(key, numbers);
      case boolean[] flags -> to.flags(key, flags);
      case long[] numbers -> to.i32s(key, narrow(from, key, numbers));
      case List<?> texts -> to.texts(key, texts.stream().map(String.class::cast).toList());
      default -> throw unwritten(from, key);
    }
  }

  private static int[] narrow(Gguf from, String key, long[] numbers) {
    int[] narrow = new int[numbers.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (int) numbers[i];
      if (narrow[i] != numbers[i]) {
        throw unwritten(from, key);
      }
    }
    return narrow;
  }

  private static FormatException unwritten(Gguf from, String key) {
    return new FormatException(from.name() + ": " + key + " is of a type that cannot be written");
  }
}
